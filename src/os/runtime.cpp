#include <unistd.h>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>

#include "env/metrics.hpp"
#include "os/clock.hpp"
#include "os/log.hpp"
#include "os/mailbox.hpp"
#include "os/network.hpp"
#include "os/os.hpp"
#include "os/pool.hpp"
#include "os/process.hpp"
#include "os/random.hpp"
#include "os/resolver.hpp"
#include "os/tls.hpp"

namespace meshai::os {

struct runtime::parts {
  explicit parts(const options& how)
      : log(how.log_level, how.json_log, STDERR_FILENO), pool(how.pool_threads), names(how.name_servers) {}

  os::log log;
  env::metrics metrics;
  thread_pool pool;
  resolver names;
  tls_contexts contexts;
  process_starter starter;
};

runtime::runtime(options how) : parts_(std::make_unique<parts>(how)) {}
runtime::~runtime() = default;
std::unique_ptr<worker> runtime::make_worker() {
  return std::unique_ptr<worker>(new worker(*parts_));
}
env::log& runtime::log() {
  return parts_->log;
}
env::metrics& runtime::metrics() {
  return parts_->metrics;
}

struct worker::parts {
  explicit parts(runtime::parts& of)
      : shared(of),
        home(std::make_shared<mailbox>(context.get_executor())),
        clock(context.get_executor()),
        pool(context.get_executor(), shared.pool, home),
        network(context.get_executor(), shared.names, shared.contexts, home),
        process(context.get_executor(), shared.starter) {}
  // First nobody may post any more, then the pool waits for its jobs (the order below), then the loop goes with
  // what is still suspended on it.
  ~parts() { home->close(); }

  runtime::parts& shared;
  boost::asio::io_context context{1};
  std::shared_ptr<mailbox> home;
  os::clock clock;
  os::random random;
  os::entropy entropy;
  os::pool pool;
  os::network network;
  os::process process;
};

worker::worker(runtime::parts& shared) : parts_(std::make_unique<parts>(shared)) {}
worker::~worker() = default;

env::world worker::world() {
  auto& p = *parts_;
  return {p.context.get_executor(), p.clock, p.random, p.entropy, p.network, p.process, p.pool, p.shared.log,
          p.shared.metrics};
}

void worker::run() {
  parts_->context.restart();
  parts_->context.run();
}

void worker::stop() {
  parts_->context.stop();
}

}  // namespace meshai::os
