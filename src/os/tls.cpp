#include "os/tls.hpp"

namespace meshai::os {

struct client_context {};

tls_contexts::tls_contexts() = default;
tls_contexts::~tls_contexts() = default;

task<result<std::unique_ptr<env::stream>>> tls_contexts::secure_client(executor, std::unique_ptr<env::stream>,
                                                                       std::string, env::trust, instant) {
  co_return fail(error_kind::unavailable, "TLS is not there yet");
}

task<result<std::unique_ptr<env::stream>>> secure_server(executor, std::unique_ptr<env::stream>,
                                                         std::shared_ptr<const env::identity>, instant) {
  co_return fail(error_kind::unavailable, "TLS is not there yet");
}

result<std::shared_ptr<const env::identity>> load_identity(const std::string&, const std::string&) {
  return fail(error_kind::unavailable, "TLS is not there yet");
}

}  // namespace meshai::os
