// meshai doctor: what is wrong on this device, and how to mend it.
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include <algorithm>
#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "app/assemble.hpp"
#include "app/commands.hpp"
#include "app/config_check.hpp"
#include "app/daemon.hpp"
#include "app/instance.hpp"
#include "app/owner.hpp"
#include "app/terminal.hpp"
#include "engine/engine.hpp"
#include "env/clock.hpp"
#include "http/http.hpp"
#include "os/os.hpp"
#include "upstream/upstream.hpp"

namespace meshai::app {
namespace {

namespace json = boost::json;
using namespace std::chrono_literals;

enum class grade { good, warning, bad };

struct finding {
  std::string what;
  grade how = grade::good;
  std::string detail;  // what was seen
  std::string mend;    // what to do about it; empty where all is well
};
using findings = std::vector<finding>;

constexpr std::uint64_t mb = 1'000'000;

finding look_at_disk(const paths& where) {
  // The data folder itself may not exist yet: its nearest parent tells as much.
  auto folder = where.data;
  struct statvfs is{};
  while (::statvfs(folder.c_str(), &is) != 0 && folder.has_relative_path()) folder = folder.parent_path();
  const auto free = static_cast<std::uint64_t>(is.f_bavail) * is.f_frsize;
  if (free >= 500 * mb)
    return {"disk", grade::good, fmt::format("{} MB free in {}", free / mb, folder.string()), ""};
  return {"disk", grade::warning, fmt::format("{} MB free in {}", free / mb, folder.string()),
          "make room: engine and default model take 200 MB, a better model several GB"};
}

finding look_at_memory() {
  std::ifstream info("/proc/meminfo");
  std::string name, unit;
  std::uint64_t amount = 0;
  while (info >> name >> amount) {
    std::getline(info, unit);
    if (name != "MemAvailable:") continue;
    const auto free = amount * 1024 / mb;
    if (free >= 600) return {"memory", grade::good, fmt::format("{} MB available", free), ""};
    return {"memory", grade::warning, fmt::format("{} MB available", free),
            "close something: the default model takes about 350 MB"};
  }
  return {"memory", grade::warning, "/proc/meminfo does not tell", "mount /proc"};
}

finding look_at_clock() {
  // Certificates are judged by it; this release is from 2026.
  constexpr auto earliest = std::chrono::sys_days(std::chrono::year(2026) / 1 / 1);
  const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
  const auto text = fmt::format("{} seconds since 1970", now.time_since_epoch().count());
  if (now >= earliest) return {"clock", grade::good, "plausible", ""};
  return {"clock", grade::bad, text,
          "set the clock: with a wrong one no certificate is valid (timedatectl set-ntp true)"};
}

finding look_at_engine(const paths& where) {
  const char* path = std::getenv("PATH");
  const auto found = engine::find_program(where.data, path ? path : "");
  if (found) return {"engine", grade::good, fmt::format("{} {}", found->name, found->version), ""};
  return {"engine", grade::bad, found.error().detail, "type: make up"};
}

finding look_at_model(const paths& where, const std::string& name) {
  const auto found = engine::catalogue(where.data).find(name);
  const auto what = fmt::format("model \"{}\"", name);
  if (!found)
    return {what, grade::bad, found.error().detail, "type: make up, or meshai models add FILE.gguf --default"};
  if (!found->header) {
    return {what, grade::bad, found->header.error().detail,
            "fetch the file again, then: meshai models add FILE.gguf"};
  }
  return {what, grade::good, fmt::format("{} {}", found->name, found->header->quantisation), ""};
}

finding look_at_key_file(const std::string& what, const secret_source& source) {
  if (const auto read = read_secret(source); !read)
    return {what, grade::warning, read.error().detail, "set it, then: meshai reload"};
  struct stat is{};
  if (source.from == secret_source::kind::file && ::stat(source.name.c_str(), &is) == 0 &&
      (is.st_mode & 077) != 0) {
    return {what, grade::warning, fmt::format("{} can be read by others", source.name),
            fmt::format("type: chmod 600 {}", source.name)};
  }
  return {what, grade::good, source.text(), ""};
}

void look_at_ports(env::world world, const config& of, const paths& where, findings& out) {
  const bool ours = running_node(where).has_value();
  for (const auto& at : listen_addresses(of.api)) {
    const auto what = "port " + at.text();
    if (ours) {
      out.push_back({what, grade::good, "our node listens there", ""});
      continue;
    }
    const auto opened = world.network.listen(at, false);
    if (opened) {
      out.push_back({what, grade::good, "free", ""});
    } else if (!of.api.listen.empty() || at.ip != "::1") {
      out.push_back(
          {what, grade::bad, opened.error().detail, "stop the other program, or set another listen in [api]"});
    }
  }
}

bool is_engine(const config& of, std::string_view node) {
  return std::ranges::any_of(of.nodes,
                             [&](const auto& one) { return one.name == node && one.kind == node_kind::engine; });
}

task<void> look_at_nodes(env::world world, const config& of, const paths& where, findings& out) {
  auto plan = assemble(of, where);
  if (!plan) co_return;  // its reason stands among the keys
  route::health health;
  http::client http(world);
  upstream::client asks(world, http, health);
  const auto nodes = plan->nodes;
  const auto reached = upstream::endpoints::make(std::move(plan->upstreams));
  if (!reached) {
    out.push_back(
        {"nodes", grade::bad, reached.error().detail, "mend the configuration, then: meshai config check"});
    co_return;
  }
  for (const auto& node : nodes) {
    const auto what = fmt::format("node \"{}\"", node.name);
    if (is_engine(of, node.name)) continue;  // asked through the running node, below
    if (!node.off.empty()) {
      out.push_back({what, grade::warning, "off: " + node.off, "set the key, or remove the node"});
      continue;
    }
    const auto* to = (*reached)->find(node.name);
    const auto listed = co_await asks.models(*to, world.clock.now() + 5s);
    if (listed) {
      out.push_back({what, grade::good, fmt::format("answers, {} models", listed->size()), ""});
    } else {
      out.push_back({what, grade::bad, listed.error().detail,
                     "look at its url, its key and the way there (proxy, firewall)"});
    }
  }
}

task<void> look_at_running_node(env::world world, const paths& where, findings& out) {
  if (!running_node(where)) {
    out.push_back({"node", grade::warning, "none runs", "type: meshai up"});
    co_return;
  }
  owner_client node(world, where);
  const auto ready = co_await node.get("/readyz", 5s);
  if (ready && ready->status == 200) {
    out.push_back({"node", grade::good, "runs and can answer", ""});
  } else {
    out.push_back({"node", grade::bad, "runs, but nobody can answer", "type: meshai status, which says why"});
  }
}

task<void> look_around(env::world world, const paths& where, const std::optional<config>& of, findings& out) {
  if (of) {
    look_at_ports(world, *of, where, out);
    co_await look_at_nodes(world, *of, where, out);
  }
  co_await look_at_running_node(world, where, out);
}

// What the file says, without demanding that the node could start with it: the single faults are found one by one.
std::optional<config> read_config(const std::filesystem::path& file, findings& out) {
  const auto text = read_file(file, 1 << 20);
  if (!text) {
    out.push_back({"configuration", grade::warning, text.error().detail, "type: meshai up, which writes one"});
    return std::nullopt;
  }
  auto parsed = parse_config(*text, file.string());
  const auto startable = parsed ? check_start(*parsed) : result<void>();
  if (!parsed || !startable) {
    out.push_back({"configuration", grade::bad, parsed ? startable.error().detail : parsed.error().detail,
                   "mend the line, then: meshai config check"});
  } else {
    out.push_back({"configuration", grade::good, file.string(), ""});
  }
  return parsed ? std::optional(*std::move(parsed)) : std::nullopt;
}

std::filesystem::path config_to_examine(const paths& where, const doctor_options& how) {
  if (!how.config.empty()) return std::filesystem::absolute(how.config);
  const auto running = running_instance(where);
  return running && !running->config.empty() ? running->config : where.config_file();
}

void show(const findings& all, bool json_wanted) {
  if (json_wanted) {
    json::array out;
    for (const auto& one : all) {
      const auto word = one.how == grade::good ? "good" : one.how == grade::warning ? "warning" : "bad";
      out.push_back({{"what", one.what}, {"grade", word}, {"detail", one.detail}, {"mend", one.mend}});
    }
    print(json::serialize(out) + "\n");
    return;
  }
  for (const auto& one : all) {
    const auto mark = one.how == grade::good      ? paint("ok  ", style::green)
                      : one.how == grade::warning ? paint("note", style::yellow)
                                                  : paint("bad ", style::red);
    print(fmt::format("{} {}: {}\n", mark, one.what, printable(one.detail)));
    if (!one.mend.empty()) print(fmt::format("       {}\n", one.mend));
  }
}

}  // namespace

int doctor(const doctor_options& how) {
  const auto where = find_paths();
  if (!where) return complain(where.error().detail, exit_configuration, how.json);
  findings all{look_at_clock(), look_at_disk(*where), look_at_memory(), look_at_engine(*where)};
  const auto of = read_config(config_to_examine(*where, how), all);
  if (of) {
    for (const auto& node : of->nodes) {
      if (node.kind == node_kind::engine) all.push_back(look_at_model(*where, node.model));
      for (const auto& key : node.keys)
        all.push_back(look_at_key_file(fmt::format("key of node \"{}\"", node.name), key));
    }
    for (const auto& key : of->keys)
      all.push_back(look_at_key_file(fmt::format("[[key]] \"{}\"", key.name), key.secret));
  }
  run_to_end([&](env::world world) { return look_around(world, *where, of, all); });
  show(all, how.json);
  return std::ranges::any_of(all, [](const auto& one) { return one.how == grade::bad; }) ? exit_failed : exit_ok;
}

}  // namespace meshai::app
