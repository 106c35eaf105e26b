#include "store/keys.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace meshai::store {
namespace {

value value_of(const std::optional<std::int64_t>& number) {
  return number ? value(*number) : value(nullptr);
}

std::int64_t stamp(wall_time at) {
  return at.time_since_epoch().count();
}

wall_time time_of(std::int64_t stamped) {
  return wall_time(std::chrono::milliseconds(stamped));
}

std::vector<std::string> lines_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    out.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

issued_key read(const row& from) {
  issued_key out;
  out.name = from.text(0);
  if (const auto bytes = from.bytes(1); bytes.size() == out.digest.size())
    std::ranges::copy(bytes, out.digest.begin());
  out.ending = from.text(2);
  // A reach that nobody knows is the strictest.
  const auto reach = from.integer(3);
  out.reach = reach >= 0 && reach <= static_cast<int>(meshai::reach::cloud) ? static_cast<meshai::reach>(reach)
                                                                            : meshai::reach::device;
  out.models = lines_of(from.text(4));
  out.limits = {.money = from.integer_or_none(5),
                .tokens = from.integer_or_none(6),
                .requests_a_minute = from.integer_or_none(7),
                .tokens_a_minute = from.integer_or_none(8)};
  out.created = time_of(from.integer(9));
  if (const auto at = from.integer_or_none(10)) out.revoked = time_of(*at);
  return out;
}

}  // namespace

result<void> add_key(database& in, const issued_key& made) {
  const auto models = fmt::format("{}", fmt::join(made.models, "\n"));
  return in.transaction([&]() -> result<void> {
    bool taken = false;
    auto looked = in.each("SELECT 1 FROM issued WHERE name = ? AND revoked IS NULL", {std::string_view(made.name)},
                          [&](const row&) { taken = true; });
    if (!looked) return looked;
    if (taken) return fail(error_kind::refused, fmt::format("there is a key \"{}\" already", made.name));
    const auto& bounds = made.limits;
    auto put = in.run(
        "INSERT INTO issued (name, digest, ending, reach, models, money, tokens, requests_a_minute, "
        "tokens_a_minute, "
        "created) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        {std::string_view(made.name), blob(made.digest), std::string_view(made.ending),
         static_cast<std::int64_t>(made.reach), std::string_view(models), value_of(bounds.money),
         value_of(bounds.tokens), value_of(bounds.requests_a_minute), value_of(bounds.tokens_a_minute),
         stamp(made.created)});
    if (!put) return std::unexpected(put.error());
    return {};
  });
}

result<bool> revoke_key(database& in, std::string_view name, wall_time at) {
  const auto changed =
      in.run("UPDATE issued SET revoked = ? WHERE name = ? AND revoked IS NULL", {stamp(at), name});
  if (!changed) return std::unexpected(changed.error());
  return *changed > 0;
}

result<std::vector<issued_key>> list_keys(database& in) {
  std::vector<issued_key> out;
  auto done = in.each(
      "SELECT name, digest, ending, reach, models, money, tokens, requests_a_minute, tokens_a_minute, created, "
      "revoked "
      "FROM issued ORDER BY id",
      {}, [&](const row& one) { out.push_back(read(one)); });
  if (!done) return std::unexpected(done.error());
  return out;
}

}  // namespace meshai::store
