// A fake provider as a program: for tests in other languages and for measurements.

#include <CLI/CLI.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <csignal>
#include <cstdio>

#include "fake.hpp"
#include "os/os.hpp"

namespace {

using namespace meshai;

task<void> stop_at_signal(os::worker& on, executor loop) {
  os::signals arriving(loop, {SIGTERM, SIGINT});
  (void)co_await arriving.next();
  on.stop();
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app(
      "A provider that speaks OpenAI's, Anthropic's or Gemini's protocol. Prints the port it listens at.");
  std::string speaks = "openai";
  fake::options how;
  std::string ip = "127.0.0.1";
  std::uint16_t port = 0;
  bool forget = false;
  app.add_option("--speaks", speaks)->check(CLI::IsMember({"openai", "anthropic", "gemini"}));
  app.add_option("--listen", ip, "The address");
  app.add_option("--port", port);
  app.add_option("--key", how.key);
  app.add_option("--model", how.models);
  app.add_flag("--deaf", how.deaf, "Accept connections and read nothing from them");
  std::string prefill = "continues", asked = "continues";
  const CLI::IsMember manners({"continues", "refused", "ignored", "preamble", "overlaps"});
  app.add_option("--prefill", prefill, "What it does where the last message is the assistant's")->check(manners);
  app.add_option("--asked", asked, "What it does where it is asked to go on")->check(manners);
  app.add_flag("--forget", forget, "Keep no requests: for measurements");
  CLI11_PARSE(app, argc, argv);
  how.speaks = speaks == "openai"   ? fake::protocol::openai
               : speaks == "gemini" ? fake::protocol::gemini
                                    : fake::protocol::anthropic;
  how.keep_requests = !forget;
  how.prefill = fake::parse_going_on(prefill);
  how.asked = fake::parse_going_on(asked);

  os::runtime runtime({.log_level = env::log_level::error});
  const auto worker = runtime.make_worker();
  auto world = worker->world();
  const auto listener = world.network.listen({.ip = ip, .port = port}, false);
  if (!listener) {
    std::fprintf(stderr, "%s\n", listener.error().detail.c_str());
    return 1;
  }
  std::printf("%d\n", (*listener)->local().port);
  std::fflush(stdout);
  fake::provider provider(world, how);
  boost::asio::co_spawn(world.loop, provider.serve(**listener), boost::asio::detached);
  boost::asio::co_spawn(world.loop, stop_at_signal(*worker, world.loop), boost::asio::detached);
  worker->run();
  return 0;
}
