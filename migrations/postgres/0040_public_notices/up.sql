-- A public notice is what a publication printed: names, grades, totals, places and awards as they stood, whatever is called otherwise
-- later. Objections are made to a notice while it is open, and decided with a text.

CREATE TABLE public_notice (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    kind TEXT NOT NULL CONSTRAINT public_notice_kind_known CHECK (kind IN ('evaluation', 'subsidy_run')),
    subject_id BIGINT NOT NULL,
    year BIGINT NOT NULL,
    title TEXT NOT NULL,
    document_no TEXT NOT NULL,
    notice_from_on DATE NOT NULL,
    notice_until_on DATE NOT NULL,
    remark TEXT,
    content TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT public_notice_state_known CHECK (state IN ('open', 'final', 'discarded')),
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE UNIQUE INDEX public_notice_document_no_unique ON public_notice (document_no);
CREATE UNIQUE INDEX public_notice_subject_unique ON public_notice (kind, subject_id);
CREATE INDEX public_notice_year ON public_notice (year, id);
CREATE INDEX public_notice_updated ON public_notice (updated_at, id);

CREATE TABLE objection (
    id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    public_notice_id BIGINT NOT NULL REFERENCES public_notice (id),
    organization_id BIGINT REFERENCES organization (id),
    text TEXT NOT NULL,
    state TEXT NOT NULL CONSTRAINT objection_state_known CHECK (state IN ('open', 'upheld', 'dismissed', 'withdrawn')),
    due_on DATE NOT NULL,
    created_by BIGINT NOT NULL REFERENCES user_account (id),
    decision TEXT,
    decided_by BIGINT REFERENCES user_account (id),
    decided_at TIMESTAMP,
    version BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
CREATE INDEX objection_public_notice ON objection (public_notice_id, id);
CREATE INDEX objection_organization ON objection (organization_id, id);
CREATE INDEX objection_created_by ON objection (created_by, id);
CREATE INDEX objection_updated ON objection (updated_at, id);

ALTER TABLE evaluation ADD COLUMN public_notice_id BIGINT;
ALTER TABLE subsidy_run ADD COLUMN public_notice_id BIGINT;
