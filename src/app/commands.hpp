// app: what each word of the command line does. Each returns the exit code of the program.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace meshai::app {

// Exit codes, kept stable for scripts.
enum exit_code : int {
  exit_ok = 0,
  exit_failed = 1,         // tried, and could not
  exit_usage = 2,          // the command line itself is wrong
  exit_not_running = 3,    // no node runs
  exit_configuration = 4,  // the configuration is wrong
  exit_no_answer = 5,      // a node runs, and nobody answered
};

struct serve_options {
  std::string config;  // a file; empty: the usual place
  bool json_log = false;
  bool verbose = false;  // debug events too
};
int serve(const serve_options& how);
int supervise(const serve_options& how);  // what `up` leaves behind

struct up_options {
  std::string config;
  bool json = false;
  bool quiet = false;  // start only: ask nothing
};
int up(const up_options& how);
int down(bool json);
int reload(bool json);

struct service_options {
  enum class verb { install, uninstall } what = verb::install;
  std::string config;
  bool only_print = false;
  bool json = false;
};
int service(const service_options& how);

struct status_options {
  bool json = false;
  bool watch = false;
};
int status(const status_options& how);

struct ask_options {
  std::vector<std::string> words;  // of the question; "-": standard input
  std::string model = "auto";
  std::string reach;
  std::string prefer;  // speed, quality, price or private; empty: what the question needs
  std::string system;
  std::optional<double> temperature;
  std::optional<int> max_tokens;
  bool no_fallback = false;
  bool explain = false;
  bool json = false;
};
int ask(const ask_options& how);

struct route_options {
  std::vector<std::string> words;  // as of ask
  std::string model = "auto";
  std::string reach;
  std::string prefer;  // speed, quality, price or private; empty: what the question needs
  std::string system;
  std::string config;  // a file: it is evaluated, and no node is asked; empty: the running node is asked
  bool json = false;
};
int route(const route_options& how);

struct chat_options {
  std::string model = "auto";
  std::string reach;
  std::string system;
};
int chat(const chat_options& how);

struct models_options {
  enum class verb { list, add, show, use } what = verb::list;
  std::string name;  // a model's name, or the file to add
  std::string as;    // the name it is added under; empty: the file's
  bool make_default = false;
  bool names = false;  // a list of them only
  bool json = false;
};
int models(const models_options& how);

struct key_options {
  enum class verb { make, list, revoke } what = verb::list;
  std::string name;
  std::string reach = "cloud";
  std::vector<std::string> models;  // empty: all
  std::optional<double> budget;     // money a day
  std::optional<std::int64_t> budget_tokens, rate, rate_tokens;
  bool json = false;
};
int keys(const key_options& how);

struct usage_options {
  std::string day, since;  // 2026-11-26; both empty: today
  bool json = false;
};
int usage(const usage_options& how);

struct classify_options {
  std::string file;  // of JSON lines; empty or "-": standard input
  bool care = false;  // also what each prompt holds that a [[care]] rule can keep near
};
int classify(const classify_options& how);

int config_check(const std::string& file, bool json);

struct doctor_options {
  std::string config;  // a file; empty: the running node's, else the usual place
  bool json = false;
};
int doctor(const doctor_options& how);

}  // namespace meshai::app
