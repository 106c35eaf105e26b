// How many tokens a prompt has for the model of a llama-server: its own template and tokenizer say so, exactly,
// without asking the model. It counts by Anthropic's call.
#include "upstream/endpoint.hpp"
#include "upstream/upstream.hpp"

namespace meshai::upstream {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_count = 4096;  // bytes of the answer

}  // namespace

bool counts_at(const endpoint& node) {
  return node.counts;
}

task<result<std::int64_t>> client::count(const endpoint& of, std::string_view model, const chat::request& asked,
                                         instant deadline) {
  auto what = of.prepare ? of.prepare(asked) : asked;
  what.endpoint = chat::endpoint::count_tokens;
  what.stream = false;
  what.mesh.drop = true;  // it is only counted: what one API cannot say to the other hardly matters for the length
  const chat::target target{.dialect = chat::dialect::anthropic, .model = std::string(model), .urls = false};
  const auto written = chat::write_request(what, target);
  if (!written) co_return fail(error_kind::refused, "node \"" + of.node + "\" cannot count this");
  const std::vector<wire::header> headers{{"Content-Type", "application/json"}, {"Accept", "application/json"}};
  const auto path = of.target("/messages/count_tokens");
  auto answered =
      co_await http_.send(of.origin, {.method = "POST", .target = path, .headers = headers, .body = written->body},
                          {.connect_timeout = 250ms, .headers_by = deadline});
  if (!answered) co_return std::unexpected(std::move(answered.error()));
  answered->read_by(deadline);
  const auto body = co_await answered->read_all(longest_count);
  if (!body) co_return std::unexpected(body.error());
  if (answered->status() != 200)
    co_return fail(error_kind::refused, "node \"" + of.node + "\" answers " + std::to_string(answered->status()));
  const auto read = chat::read_answer(what, target, *body);
  if (!read || read->usage.input <= 0)
    co_return fail(error_kind::malformed, "node \"" + of.node + "\" counts nothing");
  co_return read->usage.input;
}

}  // namespace meshai::upstream
