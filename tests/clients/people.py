"""Signs in people of the demo: people.py URL PASSWORDS EMAIL prints an access token."""

import json
import sys
import tomllib
import urllib.request


def password(passwords, email):
    with open(passwords, "rb") as file:
        return tomllib.load(file)[email]


def token(url, passwords, email):
    body = json.dumps({"email": email, "password": password(passwords, email)}).encode()
    request = urllib.request.Request(
        url + "/api/v1/auth/login", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["access_token"]


if __name__ == "__main__":
    print(token(*sys.argv[1:]))
