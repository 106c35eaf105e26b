#include "app/ledger_checks.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "store/store.hpp"

namespace meshai::app {

bool keys_were_issued(const paths& where) {
  const auto file = store::ledger_file(where.state);
  if (store::has_no_ledger(file)) return false;
  auto opened = store::open_ledger(file, store::database::access::existing);
  if (!opened) return true;
  const auto keys = store::list_keys(*opened);
  return !keys || !keys->empty();
}

finding look_at_ledger(const paths& where) {
  const auto file = store::ledger_file(where.state);
  const std::string what = "ledger";
  if (store::has_no_ledger(file)) return {what, grade::good, "none yet: nobody made a key or used anything", ""};
  const auto bad = [&](const error& why) {
    return finding{what, grade::bad, why.detail + "; keys with a budget are refused",
                   store::how_to_mend(file, why)};
  };
  auto opened = store::open_ledger(file, store::database::access::existing);
  if (!opened) return bad(opened.error());
  const auto keys = store::list_keys(*opened);
  if (!keys) return bad(keys.error());
  store::batch nothing;
  if (const auto written = store::write(*opened, 0, nothing); !written) return bad(written.error());
  const auto in_use = std::ranges::count_if(*keys, [](const auto& one) { return !one.revoked; });
  return {what, grade::good, fmt::format("{}, {} keys in use", file.string(), in_use), ""};
}

}  // namespace meshai::app
