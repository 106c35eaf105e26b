// meshai service: a node that systemd keeps, from the start of the machine or of the session on.
#include <fmt/format.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cstdlib>
#include <filesystem>
#include <string>

#include "app/commands.hpp"
#include "app/paths.hpp"
#include "app/terminal.hpp"

namespace meshai::app {
namespace {

namespace fs = std::filesystem;
namespace json = boost::json;

bool is_root() {
  return ::geteuid() == 0;
}

// systemd's own test (sd_booted(3)).
bool has_systemd() {
  std::error_code ignored;
  return fs::is_directory("/run/systemd/system", ignored);
}

fs::path unit_file(const paths& where) {
  if (is_root()) return "/etc/systemd/system/meshai.service";
  return where.config.parent_path() / "systemd/user/meshai.service";
}

// systemd.syntax(7): quoted, and % and \ doubled.
std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '%' || c == '\\') out += c;
    if (c == '"') out += '\\';
    out += c;
  }
  return out + "\"";
}

// systemd is the outer ring: it starts the supervisor again, which starts the node again. The hardening leaves the
// node its own folders, the network and the processes of its engine.
std::string unit_text(const paths& where, const std::string& program, const std::string& config) {
  std::string out = fmt::format(
      "[Unit]\nDescription=Mesh AI node\nAfter=network-online.target\n"
      "Wants=network-online.target\nStartLimitIntervalSec=0\n\n"
      "[Service]\nType=exec\nExecStart={} supervise --config {}\nExecReload=/bin/kill -HUP $MAINPID\n"
      "Restart=always\nRestartSec=1s\nKillMode=mixed\nTimeoutStopSec=20s\n"
      "OOMPolicy=continue\n",
      quoted(program), quoted(config));
  if (is_root()) {
    out += fmt::format(
        "Environment={}\nRuntimeDirectory=meshai\nRuntimeDirectoryMode=0700\nEnvironment=XDG_RUNTIME_DIR=/run\n",
        quoted(std::string("HOME=") + (std::getenv("HOME") ? std::getenv("HOME") : "/root")));
  }
  out += "# NAME=value lines, for secrets that the configuration takes as env:NAME:\n";
  out += "EnvironmentFile=-" + (where.config / "environment").string() + "\n";
  out +=
      "NoNewPrivileges=yes\nLockPersonality=yes\nRestrictRealtime=yes\nRestrictSUIDSGID=yes\n"
      "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK\nSystemCallArchitectures=native\n"
      "ProtectSystem=full\nPrivateTmp=no\nUMask=0077\n";
  if (is_root()) {
    out +=
        "ProtectKernelTunables=yes\nProtectKernelModules=yes\nProtectKernelLogs=yes\nProtectControlGroups=yes\n"
        "ProtectClock=yes\nProtectHostname=yes\nCapabilityBoundingSet=CAP_NET_BIND_SERVICE\n";
  }
  return out + fmt::format("\n[Install]\nWantedBy={}\n", is_root() ? "multi-user.target" : "default.target");
}

std::string start_line() {
  return is_root()
             ? "systemctl daemon-reload && systemctl enable --now meshai"
             : "systemctl --user daemon-reload && systemctl --user enable --now meshai; loginctl enable-linger";
}

int report(const fs::path& file, std::string_view done, const std::string& next, bool json_wanted) {
  if (json_wanted) {
    print(json::serialize(json::object{{done, file.string()}, {"next", next}}) + "\n");
  } else {
    print(fmt::format("{} {}\nnow type: {}\n", done, file.string(), next));
  }
  return exit_ok;
}

int uninstall(const paths& where, bool json_wanted) {
  const auto file = unit_file(where);
  std::error_code wrong;
  if (!fs::remove(file, wrong)) {
    return complain(wrong ? fmt::format("cannot remove {}: {}", file.string(), wrong.message())
                          : fmt::format("there is no {}", file.string()),
                    exit_failed, json_wanted);
  }
  return report(file, "removed",
                is_root() ? "systemctl disable --now meshai && systemctl daemon-reload"
                          : "systemctl --user disable --now meshai && systemctl --user daemon-reload",
                json_wanted);
}

}  // namespace

int service(const service_options& how) {
  const auto where = find_paths();
  if (!where) return complain(where.error().detail, exit_configuration, how.json);
  if (how.what == service_options::verb::uninstall) return uninstall(*where, how.json);
  const auto program = own_program();
  if (!program) return complain(program.error().detail, exit_failed, how.json);
  const auto config = how.config.empty() ? where->config_file() : fs::absolute(how.config);
  const auto text = unit_text(*where, program->string(), config.string());
  if (how.only_print) return print(text) ? exit_ok : exit_failed;
  if (!has_systemd()) {
    return complain(
        "systemd does not run this machine; `meshai up` keeps a node too, and `meshai service install "
        "--print` shows the unit",
        exit_failed, how.json);
  }
  std::error_code wrong;
  if (!fs::exists(config, wrong)) {
    return complain(
        fmt::format("there is no {}; type: meshai up, which writes one, then meshai down", config.string()),
        exit_configuration, how.json);
  }
  const auto file = unit_file(*where);
  fs::create_directories(file.parent_path(), wrong);
  if (auto written = write_file(file, text, 0644); !written)
    return complain(written.error().detail, exit_failed, how.json);
  return report(file, "wrote", start_line(), how.json);
}

}  // namespace meshai::app
