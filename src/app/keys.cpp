// meshai key: keys for callers, made at random and kept as hashes.
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <boost/json.hpp>
#include <chrono>
#include <span>

#include "app/commands.hpp"
#include "app/config.hpp"
#include "app/config_check.hpp"
#include "app/instance.hpp"
#include "app/owner.hpp"
#include "app/paths.hpp"
#include "app/terminal.hpp"
#include "base/secret.hpp"
#include "crypto/crypto.hpp"
#include "os/random.hpp"
#include "store/store.hpp"

namespace meshai::app {
namespace {

namespace json = boost::json;

wall_time now() {
  return std::chrono::floor<std::chrono::milliseconds>(std::chrono::system_clock::now());
}

std::string date_of(wall_time at) {
  return fmt::format("{:%Y-%m-%d}", std::chrono::floor<std::chrono::days>(at));
}

// 192 random bits behind a prefix that scanners for leaked keys can tell.
std::string make_secret() {
  std::array<unsigned char, 24> bits{};
  os::entropy().fill(std::as_writable_bytes(std::span(bits)));
  std::string out = "sk-mesh-";
  for (const auto byte : bits) out += fmt::format("{:02x}", byte);
  wipe_memory(bits.data(), bits.size());
  return out;
}

// Every bound in words; empty where there is none.
std::string describe(const ledger::limits& of) {
  std::vector<std::string> all;
  if (of.money) all.push_back(ledger::money_text(*of.money) + " a day");
  if (of.tokens) all.push_back(fmt::format("{} tokens a day", *of.tokens));
  if (of.requests_a_minute) all.push_back(fmt::format("{} requests a minute", *of.requests_a_minute));
  if (of.tokens_a_minute) all.push_back(fmt::format("{} tokens a minute", *of.tokens_a_minute));
  return fmt::format("{}", fmt::join(all, ", "));
}

json::value number_or_null(const std::optional<std::int64_t>& number) {
  return number ? json::value(*number) : json::value();
}

json::object describe(const store::issued_key& one) {
  json::array models;
  for (const auto& model : one.models) models.push_back(json::value(model));
  const auto& bounds = one.limits;
  json::object out{
      {"name", one.name},
      {"ending", one.ending},
      {"reach", to_string(one.reach)},
      {"models", std::move(models)},
      {"budget_money",
       bounds.money ? json::value(static_cast<double>(*bounds.money) / ledger::billion) : json::value()},
      {"budget_tokens", number_or_null(bounds.tokens)},
      {"requests_a_minute", number_or_null(bounds.requests_a_minute)},
      {"tokens_a_minute", number_or_null(bounds.tokens_a_minute)},
      {"created", date_of(one.created)}};
  out["revoked"] = one.revoked ? json::value(date_of(*one.revoked)) : json::value();
  return out;
}

std::string show(const store::issued_key& one) {
  auto out = fmt::format("{:<20} ...{}  reach {:<7} since {}", one.name, one.ending, to_string(one.reach),
                         date_of(one.created));
  if (!one.models.empty()) out += fmt::format("  models {}", fmt::join(one.models, ", "));
  if (const auto bounds = describe(one.limits); !bounds.empty()) out += "  " + bounds;
  if (one.revoked) return paint(out + "  revoked " + date_of(*one.revoked), style::dim) + "\n";
  return out + "\n";
}

std::optional<std::string> what_is_wrong(const key_options& how) {
  if (!is_plain_name(how.name)) return fmt::format("the name \"{}\" {}", how.name, plain_name_form);
  for (const auto& model : how.models) {
    if (model.empty() || std::ranges::any_of(model, [](unsigned char c) { return c < ' '; }))
      return "--models holds a name that is empty or has control characters";
  }
  return std::nullopt;
}

// Of the running node, else at the usual place; nothing where there is none, or it is wrong.
std::optional<config> configuration(const paths& where) {
  const auto running = running_instance(where);
  const auto file = running && !running->config.empty() ? running->config : where.config_file();
  const auto text = read_file(file, 1 << 20);
  if (!text) return std::nullopt;
  auto parsed = parse_config(*text, file.string());
  return parsed ? std::optional(*std::move(parsed)) : std::nullopt;
}

// Where a key with a budget in money alone will not be answered.
std::string nodes_without_a_price(const config& all) {
  std::vector<std::string> names;
  for (const auto& node : all.nodes) {
    if (!has_price(node)) names.push_back(node.name);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

store::issued_key key_of(const key_options& how, std::string_view secret) {
  return {.name = how.name,
          .digest = crypto::sha256(secret),
          .ending = std::string(secret.substr(secret.size() - 4)),
          .reach = parse_reach(how.reach).value_or(reach::device),
          .models = how.models,
          .limits = {.money = how.budget ? std::optional(ledger::to_money(*how.budget)) : std::nullopt,
                     .tokens = how.budget_tokens,
                     .requests_a_minute = how.rate,
                     .tokens_a_minute = how.rate_tokens},
          .created = now()};
}

task<void> ask_to_look(env::world world, const paths& where, bool& looked) {
  owner_client node(world, where);
  const auto came = co_await node.post("/mesh/keys", "{}", std::chrono::seconds(10));
  looked = came && came->status == 200;
}

// Which of the two a running node does, and when: it looks by itself too.
std::string what_a_node_does(const paths& where, std::string_view does) {
  if (!running_instance(where)) return "";
  bool looked = false;
  run_to_end([&](env::world world) { return ask_to_look(world, where, looked); });
  return fmt::format("; the running node {} it {}", does, looked ? "from now on" : "within a second");
}

int make(const paths& where, store::database& in, const key_options& how) {
  if (const auto wrong = what_is_wrong(how)) return complain(*wrong, exit_usage, how.json);
  // One that stands in the configuration would stand over it.
  const auto of = configuration(where);
  if (of && std::ranges::contains(of->keys, how.name, &key_config::name)) {
    return complain(fmt::format("a [[key]] of the configuration is named \"{}\"; choose another name", how.name),
                    exit_failed, how.json);
  }
  const auto before = store::list_keys(in);
  auto secret = make_secret();
  const auto made = key_of(how, secret);
  if (const auto added = store::add_key(in, made); !added) {
    return complain(
        fmt::format("{}; choose another name, or type: meshai key revoke {}", added.error().detail, how.name),
        exit_failed, how.json);
  }
  const auto node = what_a_node_does(where, "takes");
  if (how.json) {
    auto out = describe(made);
    out["key"] = secret;
    print(json::serialize(out) + "\n");
  } else {
    print(secret + "\n");
    const auto bounds = describe(made.limits);
    print(fmt::format("\"{}\", reach {}{}{}: shown this once and kept as a hash{}\n", how.name, how.reach,
                      bounds.empty() ? "" : ", ", bounds, node),
          2);
    const auto dear = of && made.limits.only_priced() ? nodes_without_a_price(*of) : "";
    if (!dear.empty()) {
      print(fmt::format("its budget is in money alone: nodes without a price are not asked for it: {}; give them "
                        "one, or the key --budget-tokens\n",
                        dear),
            2);
    }
    if (before && before->empty()) print("from now on no program comes in without a key, on this device too\n", 2);
  }
  wipe_memory(secret.data(), secret.size());
  return exit_ok;
}

int list(store::database& in, bool json_wanted) {
  const auto all = store::list_keys(in);
  if (!all) return complain(all.error().detail, exit_failed, json_wanted);
  if (json_wanted) {
    json::array out;
    for (const auto& one : *all) out.push_back(describe(one));
    print(json::serialize(out) + "\n");
    return exit_ok;
  }
  for (const auto& one : *all) print(show(one));
  if (all->empty()) print("no keys were made; type: meshai key new --name NAME\n", 2);
  return exit_ok;
}

int revoke(const paths& where, store::database& in, const key_options& how) {
  const auto done = store::revoke_key(in, how.name, now());
  if (!done) return complain(done.error().detail, exit_failed, how.json);
  if (!*done) {
    return complain(fmt::format("no key named \"{}\" is in use; type: meshai key list", how.name), exit_failed,
                    how.json);
  }
  const auto node = what_a_node_does(where, "refuses");
  if (how.json) {
    print(json::serialize(json::object{{"revoked", how.name}}) + "\n");
    return exit_ok;
  }
  print(fmt::format("revoked {}{}\n", how.name, node));
  const auto all = store::list_keys(in);
  const bool none = all && std::ranges::all_of(*all, [](const auto& one) { return one.revoked.has_value(); });
  if (none) print("no made key is left, and the door stays closed; type: meshai key new --name NAME\n", 2);
  return exit_ok;
}

}  // namespace

int keys(const key_options& how) {
  const auto where = find_paths();
  if (!where) return complain(where.error().detail, exit_configuration, how.json);
  using verb = key_options::verb;
  const auto file = store::ledger_file(where->state);
  if (how.what == verb::list && store::has_no_ledger(file)) {
    if (how.json) return print("[]\n") ? exit_ok : exit_failed;
    print("no keys were made; type: meshai key new --name NAME\n", 2);
    return exit_ok;
  }
  if (const auto made = make_private(where->state); !made)
    return complain(made.error().detail, exit_failed, how.json);
  auto opened = store::open_ledger(file, store::database::access::create);
  if (!opened) return complain(store::how_to_mend(file, opened.error()), exit_failed, how.json);
  switch (how.what) {
    case verb::make:
      return make(*where, *opened, how);
    case verb::list:
      return list(*opened, how.json);
    case verb::revoke:
      return revoke(*where, *opened, how);
  }
  return exit_usage;
}

}  // namespace meshai::app
