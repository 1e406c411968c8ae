-- What becomes of an award after its run is final: it is paid in parts, adjusted by two persons, held and released.

CREATE TABLE award_payment (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    award_id BIGINT NOT NULL REFERENCES award (id),
    amount_fen BIGINT NOT NULL,
    paid_on DATE NOT NULL,
    document_no TEXT NOT NULL,
    created_by BIGINT REFERENCES user_account (id),
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX award_payment_award ON award_payment (award_id, id);

CREATE TABLE award_adjustment (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    award_id BIGINT NOT NULL REFERENCES award (id),
    amount_fen BIGINT NOT NULL,
    reason_code TEXT NOT NULL CONSTRAINT award_adjustment_reason_known CHECK (reason_code IN ('fraud', 'error', 'court', 'refund', 'other')),
    reason TEXT NOT NULL,
    decision_no TEXT,
    state TEXT NOT NULL CONSTRAINT award_adjustment_state_known CHECK (state IN ('proposed', 'approved', 'refused')),
    proposed_by BIGINT REFERENCES user_account (id),
    decided_by BIGINT REFERENCES user_account (id),
    decided_at TIMESTAMP,
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX award_adjustment_award ON award_adjustment (award_id, id);

CREATE TABLE award_hold (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    award_id BIGINT NOT NULL REFERENCES award (id),
    is_held BOOLEAN NOT NULL,
    reason TEXT NOT NULL,
    created_by BIGINT REFERENCES user_account (id),
    created_at TIMESTAMP NOT NULL
);
CREATE INDEX award_hold_award ON award_hold (award_id, id);
