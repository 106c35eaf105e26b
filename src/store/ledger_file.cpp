#include "store/ledger_file.hpp"

#include <fmt/format.h>
#include <sys/stat.h>

#include <array>
#include <cerrno>

namespace meshai::store {
namespace {

// `issued`: a key's name may come again once the former one is revoked. `hold`: `holder` is a process; what it did
// not settle before it died stays, and counts as spent. `spent` is kept for the answers to "who, where, when, how
// much".
constexpr std::string_view first = R"(
CREATE TABLE issued (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  digest BLOB NOT NULL UNIQUE,
  ending TEXT NOT NULL,
  reach INTEGER NOT NULL,
  models TEXT NOT NULL,
  money INTEGER,
  tokens INTEGER,
  requests_a_minute INTEGER,
  tokens_a_minute INTEGER,
  created INTEGER NOT NULL,
  revoked INTEGER
) STRICT;
CREATE UNIQUE INDEX issued_name ON issued (name) WHERE revoked IS NULL;
CREATE TABLE hold (
  holder INTEGER NOT NULL,
  number INTEGER NOT NULL,
  day INTEGER NOT NULL,
  key TEXT NOT NULL,
  tokens INTEGER NOT NULL,
  money INTEGER NOT NULL,
  PRIMARY KEY (holder, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX hold_day ON hold (day, key);
CREATE TABLE spent (
  day INTEGER NOT NULL,
  key TEXT NOT NULL,
  node TEXT NOT NULL,
  attempts INTEGER NOT NULL,
  answers INTEGER NOT NULL,
  fallbacks INTEGER NOT NULL,
  faults INTEGER NOT NULL,
  estimated INTEGER NOT NULL,
  input INTEGER NOT NULL,
  output INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  money INTEGER NOT NULL,
  PRIMARY KEY (day, key, node)
) STRICT, WITHOUT ROWID;
)";

constexpr std::array<std::string_view, 1> schema{first};

}  // namespace

std::filesystem::path ledger_file(const std::filesystem::path& state) {
  return state / "ledger.db";
}

result<database> open_ledger(const std::filesystem::path& file, database::access how) {
  return database::open(file, how, schema);
}

bool has_no_ledger(const std::filesystem::path& file) {
  struct stat is{};
  return ::lstat(file.c_str(), &is) != 0 && (errno == ENOENT || errno == ENOTDIR);
}

std::string how_to_mend(const std::filesystem::path& file, const error& why) {
  if (why.kind == error_kind::malformed) {
    return fmt::format(
        "{}; keys made with meshai key and what was spent cannot be read; put back a copy, or begin "
        "anew: mv {} {}.damaged",
        why.detail, file.string(), file.string());
  }
  if (why.kind == error_kind::exhausted) return why.detail + "; make room on the disk";
  if (why.kind == error_kind::unavailable) {
    return fmt::format("{}; another program holds it; type: fuser {}", why.detail, file.string());
  }
  return fmt::format("{}; see who may write there; type: ls -ld {} {}", why.detail, file.parent_path().string(),
                     file.string());
}

}  // namespace meshai::store
