// meshai usage: what was spent, by day, key and node.
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <charconv>
#include <chrono>

#include "app/commands.hpp"
#include "app/paths.hpp"
#include "app/terminal.hpp"
#include "store/store.hpp"

namespace meshai::app {
namespace {

namespace json = boost::json;
using ledger::day_number;

std::string date_of(day_number day) {
  return fmt::format("{:%Y-%m-%d}", std::chrono::sys_days(std::chrono::days(day)));
}

// "2026-11-26"; nothing where there is no such day.
std::optional<day_number> parse_day(std::string_view text) {
  if (text.size() != 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
  const auto number = [&](std::size_t from, std::size_t size) {
    int out = -1;
    const auto* end = text.data() + from + size;
    const auto [rest, wrong] = std::from_chars(text.data() + from, end, out);
    return wrong == std::errc() && rest == end ? out : -1;
  };
  const std::chrono::year_month_day day{std::chrono::year(number(0, 4)),
                                        std::chrono::month(static_cast<unsigned>(number(5, 2))),
                                        std::chrono::day(static_cast<unsigned>(number(8, 2)))};
  if (!day.ok()) return std::nullopt;
  return std::chrono::sys_days(day).time_since_epoch().count();
}

// Who came without a key: the owner's own commands, or through an open door.
std::string name_of(const std::string& key) {
  return key.empty() ? "-" : key;
}

struct spending {
  day_number from = 0, to = 0;
  store::tallies rows;
  std::map<std::pair<day_number, std::string>, ledger::amount> held;
  store::tally total() const {
    store::tally out;
    for (const auto& [who, one] : rows) out += one;
    return out;
  }
};

double units(std::int64_t money) {
  return static_cast<double>(money) / ledger::billion;
}

json::object describe(const store::tally& of) {
  return {{"attempts", of.attempts},    {"answers", of.answers},        {"fallbacks", of.fallbacks},
          {"faults", of.faults},        {"estimated", of.estimated},    {"input_tokens", of.input},
          {"output_tokens", of.output}, {"money", units(of.cost.money)}};
}

void show_json(const spending& all) {
  json::array rows, held;
  for (const auto& [who, one] : all.rows) {
    auto row = describe(one);
    row["day"] = date_of(std::get<0>(who));
    row["key"] = name_of(std::get<1>(who));
    row["node"] = std::get<2>(who);
    rows.push_back(std::move(row));
  }
  for (const auto& [who, one] : all.held) {
    held.push_back({{"day", date_of(who.first)},
                    {"key", name_of(who.second)},
                    {"tokens", one.tokens},
                    {"money", units(one.money)}});
  }
  print(json::serialize(json::object{{"from", date_of(all.from)},
                                     {"to", date_of(all.to)},
                                     {"rows", std::move(rows)},
                                     {"held", std::move(held)},
                                     {"total", describe(all.total())}}) +
        "\n");
}

std::string show(const std::string& day, const std::string& key, const std::string& node, const store::tally& of) {
  return fmt::format("{:<10}  {:<16}  {:<16} {:>8} {:>9} {:>7} {:>11} {:>11} {:>12}\n", day, key, node, of.answers,
                     of.fallbacks, of.faults, of.input, of.output, ledger::money_text(of.cost.money));
}

void show(const spending& all) {
  if (all.rows.empty() && all.held.empty()) {
    print(fmt::format("nothing was used from {} to {} (UTC)\n", date_of(all.from), date_of(all.to)));
    return;
  }
  print(paint(fmt::format("{:<10}  {:<16}  {:<16} {:>8} {:>9} {:>7} {:>11} {:>11} {:>12}\n", "day", "key", "node",
                          "answers", "fallbacks", "faults", "input", "output", "money"),
              style::dim));
  for (const auto& [who, one] : all.rows) {
    const auto& [day, key, node] = who;
    print(show(date_of(day), printable(name_of(key)), printable(node), one));
  }
  if (all.rows.size() > 1) print(show("total", "", "", all.total()));
  for (const auto& [who, one] : all.held) {
    print(fmt::format("{}  {}: {} tokens, {} held for attempts that run, or whose node was killed\n",
                      date_of(who.first), printable(name_of(who.second)), one.tokens,
                      ledger::money_text(one.money)));
  }
}

result<spending> read(const std::filesystem::path& file, day_number from, day_number to) {
  spending out{.from = from, .to = to, .rows = {}, .held = {}};
  if (store::has_no_ledger(file)) return out;
  auto opened = store::open_ledger(file, store::database::access::existing);
  if (!opened) return std::unexpected(opened.error());
  auto rows = store::read_spending(*opened, from, to);
  if (!rows) return std::unexpected(rows.error());
  auto held = store::read_holds(*opened, from, to);
  if (!held) return std::unexpected(held.error());
  out.rows = *std::move(rows);
  out.held = *std::move(held);
  return out;
}

}  // namespace

int usage(const usage_options& how) {
  const auto where = find_paths();
  if (!where) return complain(where.error().detail, exit_configuration, how.json);
  const auto today =
      ledger::day_of(std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now()));
  auto from = today, to = today;
  for (const auto* text : {&how.day, &how.since}) {
    if (text->empty()) continue;
    const auto day = parse_day(*text);
    if (!day)
      return complain(fmt::format("\"{}\" is no day; write it as {}", *text, date_of(today)), exit_usage,
                      how.json);
    from = *day;
  }
  if (!how.day.empty()) to = from;
  const auto file = store::ledger_file(where->state);
  const auto all = read(file, from, to);
  if (!all) return complain(store::how_to_mend(file, all.error()), exit_failed, how.json);
  if (how.json) {
    show_json(*all);
  } else {
    show(*all);
  }
  return exit_ok;
}

}  // namespace meshai::app
