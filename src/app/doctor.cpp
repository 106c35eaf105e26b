// meshai doctor: what is wrong on this device, and how to mend it.
#include <fmt/format.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>

#include "app/assemble.hpp"
#include "app/certificate.hpp"
#include "app/commands.hpp"
#include "app/config_check.hpp"
#include "app/daemon.hpp"
#include "app/device_checks.hpp"
#include "app/fields.hpp"
#include "app/finding.hpp"
#include "app/instance.hpp"
#include "app/ledger_checks.hpp"
#include "app/local_servers.hpp"
#include "app/owner.hpp"
#include "app/terminal.hpp"
#include "env/clock.hpp"
#include "http/http.hpp"
#include "os/os.hpp"
#include "upstream/upstream.hpp"

namespace meshai::app {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

constexpr auto patience = 5s;

// Everything that is looked at, and what has been found so far.
struct examination {
  paths where;
  std::optional<config> of;
  json::object status;  // of the running node; empty where none runs
  bool runs = false;
  findings found;

  void note(std::string what, grade how, std::string detail, std::string mend = "") {
    found.push_back({std::move(what), how, std::move(detail), std::move(mend)});
  }
};

// In the eyes of the running node, which has the environment that it was started with.
bool is_on(const examination& of, std::string_view node) {
  return std::ranges::any_of(fields(of.status).list("nodes"), [&](const auto& one) {
    return fields(one).text("name") == node && fields(one).text("off").empty();
  });
}

void look_at_port(env::world& world, examination& of, const env::address& at) {
  const auto what = "port " + at.text();
  const auto& listens = fields(of.status).list("listen");
  if (std::ranges::any_of(listens,
                          [&](const auto& one) { return one.is_string() && one.get_string() == at.text(); }))
    return of.note(what, grade::good, "our node listens there");
  const auto opened = world.network.listen(at, false);
  if (opened) {
    if (!of.runs) return of.note(what, grade::good, "free");
    // Port 0 is whichever is free, and a machine may lack IPv6.
    if (at.port == 0 || of.of->api.listen.empty()) return;
    return of.note(what, grade::warning, "our node listens elsewhere", "type: meshai down && meshai up");
  }
  if (of.of->api.listen.empty() && at.ip == "::1") return;
  const auto who = who_listens(at.port);
  of.note(what, grade::bad, who ? fmt::format("taken by {}", *who) : opened.error().detail,
          "stop the other program, or write another listen into [api]");
}

void look_at_certificate(env::world& world, examination& of) {
  certificate shown(world, of.of->api.tls_cert, of.of->api.tls_key);
  if (!shown.wanted()) return;
  if (const auto read = shown.read(); !read) {
    of.note("certificate", grade::bad, read.error().detail, "mend [api] tls_cert and tls_key");
  } else {
    of.note("certificate", grade::good, of.of->api.tls_cert);
  }
}

std::string mend_for(const node_config& node, error_kind why) {
  if (why == error_kind::denied)
    return node.keys.empty() ? "it wants a key: add key = \"env:NAME\" to its [[node]]"
                             : fmt::format("put a key that is valid into {}, then: meshai down && meshai up",
                                           node.keys.front().text());
  if (why == error_kind::refused || why == error_kind::malformed)
    return fmt::format("see that its url is right: {}", node.url);
  if (node.tier == tier::local) return fmt::format("start it; its url is {}", node.url);
  return "look at its url and the way there: network, proxy, firewall";
}

// What a configured node says itself. One whose key is unset is not asked.
task<void> look_at_node(examination& of, upstream::client& asks, const upstream::endpoints& reached,
                        const node_config& node, const std::string& off, instant by) {
  const auto what = fmt::format("node \"{}\"", node.name);
  if (!off.empty()) {
    if (is_on(of, node.name)) {
      of.note(what, grade::good, "its key is set where the node was started, and not in this shell");
    } else {
      of.note(what, grade::warning, "off: " + off, "set the key and start the node anew, or remove its [[node]]");
    }
    co_return;
  }
  const auto listed = co_await asks.models(*reached.find(node.name), by);
  if (!listed) {
    of.note(what, grade::bad, listed.error().detail, mend_for(node, listed.error().kind));
    co_return;
  }
  std::string lacking;
  for (const auto& model : node.models) {
    if (model == "*" || std::ranges::contains(*listed, model, &upstream::discovered::name)) continue;
    lacking.append(lacking.empty() ? "" : ", ").append(model);
  }
  if (lacking.empty()) {
    of.note(what, grade::good, fmt::format("answers, {} models", listed->size()));
  } else {
    of.note(what, grade::warning, fmt::format("answers, but does not list {}", lacking),
            "see that the names in its models are right");
  }
}

task<void> look_at_nodes(env::world world, examination& of) {
  auto plan = assemble(*of.of, of.where);
  if (!plan) co_return;  // its reason stands among the keys
  route::health health;
  http::client http(world);
  upstream::client asks(world, http, health);
  const auto reached = upstream::endpoints::make(std::move(plan->upstreams));
  if (!reached) {
    of.note("nodes", grade::bad, reached.error().detail, "mend the configuration, then: meshai config check");
    co_return;
  }
  for (const auto& node : of.of->nodes) {
    if (node.kind == node_kind::engine) continue;  // the running node knows
    const auto& off = std::ranges::find(plan->nodes, node.name, &route::node::name)->off;
    co_await look_at_node(of, asks, **reached, node, off, world.clock.now() + patience);
  }
}

// A provider's key that is set, and that no node uses.
void look_for_keys(examination& of) {
  if (!of.of) return;
  for (const auto& [variable, name] :
       {std::pair{"OPENAI_API_KEY", "openai"}, {"ANTHROPIC_API_KEY", "anthropic"}, {"GEMINI_API_KEY", "gemini"}}) {
    const char* value = std::getenv(variable);
    const secret_source source{secret_source::kind::environment, variable};
    if (!value || !*value || std::ranges::any_of(of.of->nodes, [&](const auto& node) {
          return std::ranges::contains(node.keys, source);
        }))
      continue;
    of.note(variable, grade::good, "set, not used",
            fmt::format("to use it, add to the configuration:\n[[node]]\nname = \"{0}\"\ntier = \"cloud\"\nkind = "
                        "\"{0}\"\nkey = \"env:{1}\"\nmodels = [\"*\"]\n",
                        name, variable));
  }
}

// Servers that could answer and are not used: offered, never taken.
task<void> look_for_others(env::world world, examination& of) {
  std::vector<std::string> known;
  if (of.of) {
    for (const auto& node : of.of->nodes) known.push_back(node.url);
    for (const auto& at : listen_addresses(of.of->api)) known.push_back("http://" + at.text());
  }
  for (const auto& one : co_await find_local_servers(world, std::move(known))) {
    of.note(fmt::format("a server at {}", one.url), grade::good, fmt::format("{} models, not used", one.models),
            fmt::format("to use it, add to the configuration:\n{}", node_for(one)));
  }
}

task<void> ask_for_status(env::world world, examination& of) {
  owner_client node(world, of.where);
  const auto came = co_await node.get("/mesh/status", patience);
  boost::system::error_code wrong;
  const auto parsed = came ? json::parse(came->body, wrong) : json::value();
  if (const auto* all = parsed.if_object()) of.status = *all;
}

task<void> look_at_running_node(env::world world, examination& of) {
  if (!of.runs) {
    of.note("meshai", grade::warning, "does not run", "type: meshai up");
    co_return;
  }
  owner_client node(world, of.where);
  for (const auto& engine : fields(of.status).list("engines")) {
    const auto what = fmt::format("engine of node \"{}\"", fields(engine).text("node"));
    const auto state = fields(engine).text("state"), reason = fields(engine).text("reason");
    if (state == "ready") {
      of.note(what, grade::good, "answers");
    } else if (state == "resting") {
      of.note(what, grade::bad, reason, fmt::format("its log tells more: {}", of.where.log_file().string()));
    } else {
      of.note(what, grade::warning, fmt::format("{}{}{}", state, reason.empty() ? "" : ": ", reason),
              "wait a moment");
    }
  }
  const auto ready = co_await node.get("/readyz", patience);
  if (ready && ready->status == 200) {
    of.note("meshai", grade::good, "runs and can answer");
  } else {
    of.note("meshai", grade::bad, "runs, but nobody can answer", "mend what is bad above");
  }
}

task<void> look_around(env::world world, examination& of) {
  if (of.of) {
    for (const auto& at : listen_addresses(of.of->api)) look_at_port(world, of, at);
    look_at_certificate(world, of);
    co_await look_at_nodes(world, of);
  }
  look_for_keys(of);
  co_await look_for_others(world, of);
  co_await look_at_running_node(world, of);
}

// What the file says, without demanding that the node could start with it: the single faults are found one by one.
void read_config(examination& of, const std::filesystem::path& file) {
  const auto text = read_file(file, 1 << 20);
  if (!text)
    return of.note("configuration", grade::warning, text.error().detail, "type: meshai up, which writes one");
  auto parsed = parse_config(*text, file.string());
  const auto startable = parsed ? check_start(*parsed, keys_were_issued(of.where)) : result<void>();
  if (!parsed || !startable) {
    of.note("configuration", grade::bad, parsed ? startable.error().detail : parsed.error().detail,
            "mend that, then: meshai config check");
  } else {
    of.note("configuration", grade::good, file.string());
  }
  if (parsed) of.of = *std::move(parsed);
}

std::filesystem::path config_to_examine(const paths& where, const doctor_options& how) {
  if (!how.config.empty()) return std::filesystem::absolute(how.config);
  const auto running = running_instance(where);
  return running && !running->config.empty() ? running->config : where.config_file();
}

// Everything that can be seen without asking anybody.
void look_at_device(examination& of) {
  const auto wants_engine = !of.of || std::ranges::contains(of.of->nodes, node_kind::engine, &node_config::kind);
  std::uint64_t needed = 0;
  of.found.push_back(look_at_clock());
  of.found.push_back(look_at_disk(of.where));
  of.found.push_back(look_at_ledger(of.where));
  if (wants_engine) of.found.push_back(look_at_engine(of.where));
  if (of.of) {
    for (const auto& node : of.of->nodes) {
      if (node.kind == node_kind::engine) of.found.push_back(look_at_model(of.where, node.model, needed));
      for (const auto& key : node.keys) {
        if (is_on(of, node.name) && !read_secret(key)) continue;  // said of the node itself
        of.found.push_back(look_at_secret(fmt::format("key of node \"{}\"", node.name), key));
      }
    }
    for (const auto& key : of.of->keys)
      of.found.push_back(look_at_secret(fmt::format("[[key]] \"{}\"", key.name), key.secret));
  }
  of.found.push_back(look_at_memory(of.runs ? 0 : needed));  // a running one has loaded its models
}

void show_json(const findings& all, bool healthy) {
  json::array out;
  for (const auto& one : all) {
    const auto word = one.how == grade::good ? "good" : one.how == grade::warning ? "warning" : "bad";
    out.push_back({{"what", one.what}, {"grade", word}, {"detail", one.detail}, {"mend", one.mend}});
  }
  print(json::serialize(json::object{{"healthy", healthy}, {"findings", std::move(out)}}) + "\n");
}

std::string indented(std::string_view text) {
  std::string out = "     ";
  for (const char c : text) out.append(c == '\n' ? "\n     " : std::string(1, c));
  while (out.ends_with(' ') || out.ends_with('\n')) out.pop_back();
  return out + "\n";
}

void show(const findings& all) {
  for (const auto& one : all) {
    const auto mark = one.how == grade::good      ? paint("ok  ", style::green)
                      : one.how == grade::warning ? paint("note", style::yellow)
                                                  : paint("bad ", style::red);
    print(fmt::format("{} {}: {}\n", mark, one.what, printable(one.detail)));
    if (!one.mend.empty()) print(indented(printable(one.mend)));
  }
}

}  // namespace

int doctor(const doctor_options& how) {
  auto where = find_paths();
  if (!where) return complain(where.error().detail, exit_configuration, how.json);
  examination of{.where = *where};
  of.runs = running_node(*where).has_value();
  if (of.runs) run_to_end([&](env::world world) { return ask_for_status(world, of); });
  read_config(of, config_to_examine(*where, how));
  look_at_device(of);
  run_to_end([&](env::world world) { return look_around(world, of); });
  const bool healthy = std::ranges::none_of(of.found, [](const auto& one) { return one.how == grade::bad; });
  if (how.json) {
    show_json(of.found, healthy);
  } else {
    show(of.found);
  }
  return healthy ? exit_ok : exit_failed;
}

}  // namespace meshai::app
