"""Which differences with Flash's list a person has seen, and why they are no matter."""

from alembic import op

revision = "0019"
down_revision = "0018"


def upgrade() -> None:
    """Make the table; both databases write it alike."""
    op.execute(
        "CREATE TABLE seen_differences ("
        "store_id VARCHAR NOT NULL, "
        "difference VARCHAR NOT NULL, "
        "reason VARCHAR NOT NULL, "
        "actor_id VARCHAR, "
        "at BIGINT NOT NULL, "
        "CONSTRAINT fk_seen_differences_store_id FOREIGN KEY(store_id) REFERENCES stores (id), "
        "CONSTRAINT pk_seen_differences PRIMARY KEY (store_id, difference))"
    )
