// store: SQLite, wrapped thinly.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "base/error.hpp"

namespace meshai::store {

using blob = std::span<const unsigned char>;
using value = std::variant<std::nullptr_t, std::int64_t, double, std::string_view, blob>;

// One row of an answer; good until the next one.
class row {
 public:
  explicit row(void* statement) : statement_(statement) {}
  bool null(int column) const;
  std::int64_t integer(int column) const;
  std::optional<std::int64_t> integer_or_none(int column) const;
  double real(int column) const;
  std::string_view text(int column) const;
  blob bytes(int column) const;

 private:
  void* statement_;
};

// One connection. Any thread, one at a time. Errors: `malformed` where the file is damaged or none of SQLite's,
// `refused` where it may not be read or written, `exhausted` where the disk is full, `unavailable` where somebody
// else holds it for longer than two seconds.
class database {
 public:
  enum class access { create, existing };

  // `schema`: each step makes the next version of the tables; those that the file has not seen are run. A file of
  // a later version is refused. A new file is its owner's alone (0600), and so is what SQLite puts beside it.
  static result<database> open(const std::filesystem::path& file, access how,
                               std::span<const std::string_view> schema);
  ~database();
  database(database&& other) noexcept;
  database& operator=(database&& other) noexcept;

  // `sql`: one statement, a literal; it is prepared once. Returns how many rows it changed.
  result<std::int64_t> run(std::string_view sql, std::initializer_list<value> with = {});
  result<void> each(std::string_view sql, std::initializer_list<value> with,
                    const std::function<void(const row&)>& take);

  // Changes whenever another connection wrote to the file.
  result<std::int64_t> version_of_data();

  // All that `work` does, or nothing of it.
  result<void> transaction(const std::function<result<void>()>& work);

 private:
  struct parts;
  explicit database(std::unique_ptr<parts> made);
  result<void> migrate(std::span<const std::string_view> schema);
  std::unique_ptr<parts> parts_;
};

}  // namespace meshai::store
