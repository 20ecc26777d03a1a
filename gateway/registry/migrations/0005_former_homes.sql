-- Homes that households moved from: sealed as they stood in `homes`, and hidden until no row is from before the move.

CREATE TABLE former_homes (
  former    INTEGER PRIMARY KEY,
  household TEXT NOT NULL,
  sealed    BLOB NOT NULL,               -- under the household's own key
  left_at   INTEGER NOT NULL             -- when another home took its place
);
CREATE INDEX former_homes_by_household ON former_homes (household);
