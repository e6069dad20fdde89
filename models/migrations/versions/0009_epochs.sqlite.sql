CREATE TABLE epochs (
    id INTEGER NOT NULL,
    number BIGINT NOT NULL,
    moved_at BIGINT NOT NULL,
    CONSTRAINT ck_epochs_number_range CHECK (number >= 0 AND number <= 2100000000000000000),
    CONSTRAINT ck_epochs_number_whole CHECK (number IS NULL OR typeof(number) = 'integer'),
    CONSTRAINT pk_epochs PRIMARY KEY (id)
)
;
