#include "store/database.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <map>
#include <utility>

namespace meshai::store {
namespace {

constexpr int patience_ms = 2'000;

struct finalize {
  void operator()(sqlite3_stmt* one) const { sqlite3_finalize(one); }
};
using statement = std::unique_ptr<sqlite3_stmt, finalize>;

sqlite3_stmt* of(void* prepared) {
  return static_cast<sqlite3_stmt*>(prepared);
}

error_kind kind_of(int code) {
  switch (code & 0xff) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return error_kind::malformed;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return error_kind::unavailable;
    case SQLITE_FULL:
      return error_kind::exhausted;
    default:
      return error_kind::refused;
  }
}

}  // namespace

struct database::parts {
  ~parts() {
    prepared.clear();
    sqlite3_close(handle);
  }

  std::unexpected<error> wrong(int code) const {
    return fail(kind_of(code), fmt::format("{}: {}", file.string(), sqlite3_errstr(code)));
  }

  result<sqlite3_stmt*> prepare(std::string_view sql) {
    auto& slot = prepared[sql];
    if (!slot) {
      sqlite3_stmt* made = nullptr;
      const int code = sqlite3_prepare_v3(handle, sql.data(), static_cast<int>(sql.size()),
                                          SQLITE_PREPARE_PERSISTENT, &made, nullptr);
      if (code != SQLITE_OK) {
        prepared.erase(sql);
        return wrong(code);
      }
      slot.reset(made);
    }
    return slot.get();
  }

  // Several statements at once, as they stand in a schema.
  result<void> script(const std::string& sql) {
    const int code = sqlite3_exec(handle, sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return wrong(code);
    return {};
  }

  std::filesystem::path file;
  sqlite3* handle = nullptr;
  std::map<std::string_view, statement> prepared;
};

namespace {

void bind(sqlite3_stmt* to, int index, const value& what) {
  if (const auto* number = std::get_if<std::int64_t>(&what)) {
    sqlite3_bind_int64(to, index, *number);
  } else if (const auto* real = std::get_if<double>(&what)) {
    sqlite3_bind_double(to, index, *real);
  } else if (const auto* text = std::get_if<std::string_view>(&what)) {
    sqlite3_bind_text(to, index, text->data() ? text->data() : "", static_cast<int>(text->size()), SQLITE_STATIC);
  } else if (const auto* bytes = std::get_if<blob>(&what)) {
    sqlite3_bind_blob(to, index, bytes->data(), static_cast<int>(bytes->size()), SQLITE_STATIC);
  } else {
    sqlite3_bind_null(to, index);
  }
}

// Gives the statement's locks back however its use ends.
struct in_use {
  sqlite3_stmt* one;
  ~in_use() {
    sqlite3_reset(one);
    sqlite3_clear_bindings(one);
  }
};

// SQLite would make it as the umask says.
result<void> make_private_file(const std::filesystem::path& file) {
  const int fd = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return fail(error_kind::refused, fmt::format("{}: {}", file.string(), std::strerror(errno)));
  const bool closed = ::fchmod(fd, 0600) == 0;
  const auto why = errno;
  ::close(fd);
  if (!closed) return fail(error_kind::refused, fmt::format("{}: {}", file.string(), std::strerror(why)));
  return {};
}

}  // namespace

bool row::null(int column) const {
  return sqlite3_column_type(of(statement_), column) == SQLITE_NULL;
}

std::int64_t row::integer(int column) const {
  return sqlite3_column_int64(of(statement_), column);
}

std::optional<std::int64_t> row::integer_or_none(int column) const {
  return null(column) ? std::nullopt : std::optional(integer(column));
}

double row::real(int column) const {
  return sqlite3_column_double(of(statement_), column);
}

std::string_view row::text(int column) const {
  const auto* from = sqlite3_column_text(of(statement_), column);
  if (!from) return {};
  return {reinterpret_cast<const char*>(from),
          static_cast<std::size_t>(sqlite3_column_bytes(of(statement_), column))};
}

blob row::bytes(int column) const {
  const auto* from = sqlite3_column_blob(of(statement_), column);
  if (!from) return {};
  return {static_cast<const unsigned char*>(from),
          static_cast<std::size_t>(sqlite3_column_bytes(of(statement_), column))};
}

database::database(std::unique_ptr<parts> made) : parts_(std::move(made)) {}
database::~database() = default;
database::database(database&& other) noexcept = default;
database& database::operator=(database&& other) noexcept = default;

result<database> database::open(const std::filesystem::path& file, access how,
                                std::span<const std::string_view> schema) {
  if (how == access::create) {
    if (auto made = make_private_file(file); !made) return std::unexpected(made.error());
  }
  auto made = std::make_unique<parts>();
  made->file = file;
  const int code =
      sqlite3_open_v2(file.c_str(), &made->handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_FULLMUTEX, nullptr);
  if (code != SQLITE_OK) return made->wrong(code);
  sqlite3_busy_timeout(made->handle, patience_ms);
  // What a killed process has written is there; only a power failure can take the last moments with it.
  const auto* settings = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA secure_delete=ON";
  if (auto set = made->script(settings); !set) return std::unexpected(set.error());
  database out(std::move(made));
  if (auto done = out.migrate(schema); !done) return std::unexpected(done.error());
  return out;
}

result<void> database::migrate(std::span<const std::string_view> schema) {
  const auto latest = static_cast<std::int64_t>(schema.size());
  std::int64_t seen = 0;
  const auto look = [&] {
    return each("PRAGMA user_version", {}, [&](const row& one) { seen = one.integer(0); });
  };
  if (auto read = look(); !read) return read;
  if (seen > latest) {
    return fail(error_kind::refused,
                fmt::format("{} was written by a later version of meshai", parts_->file.string()));
  }
  if (seen == latest) return {};
  return transaction([&]() -> result<void> {
    if (auto read = look(); !read) return read;  // somebody else may have been quicker
    for (auto at = seen; at < latest; ++at) {
      auto made = parts_->script(std::string(schema[static_cast<std::size_t>(at)]));
      if (!made) return made;
    }
    return parts_->script(fmt::format("PRAGMA user_version={}", latest));
  });
}

result<std::int64_t> database::run(std::string_view sql, std::initializer_list<value> with) {
  if (auto done = each(sql, with, [](const row&) {}); !done) return std::unexpected(done.error());
  return sqlite3_changes64(parts_->handle);
}

result<void> database::each(std::string_view sql, std::initializer_list<value> with,
                            const std::function<void(const row&)>& take) {
  const auto prepared = parts_->prepare(sql);
  if (!prepared) return std::unexpected(prepared.error());
  const in_use using_it{*prepared};
  int index = 0;
  for (const auto& one : with) bind(*prepared, ++index, one);
  for (;;) {
    const int code = sqlite3_step(*prepared);
    if (code == SQLITE_DONE) return {};
    if (code != SQLITE_ROW) return parts_->wrong(code);
    take(row(*prepared));
  }
}

result<std::int64_t> database::version_of_data() {
  std::int64_t out = 0;
  auto read = each("PRAGMA data_version", {}, [&](const row& one) { out = one.integer(0); });
  if (!read) return std::unexpected(read.error());
  return out;
}

result<void> database::transaction(const std::function<result<void>()>& work) {
  if (auto begun = run("BEGIN IMMEDIATE"); !begun) return std::unexpected(begun.error());
  auto done = work();
  if (done) {
    auto kept = run("COMMIT");
    if (kept) return {};
    done = std::unexpected(kept.error());
  }
  (void)run("ROLLBACK");
  return done;
}

}  // namespace meshai::store
