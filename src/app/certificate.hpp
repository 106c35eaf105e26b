// app: the certificate of the TLS doors, read anew when its files change.
#pragma once

#include <memory>
#include <mutex>
#include <string>

#include "base/error.hpp"
#include "env/clock.hpp"
#include "env/network.hpp"
#include "env/world.hpp"

namespace meshai::app {

class certificate {
 public:
  // PEM files; both empty where the doors are plain.
  certificate(env::world world, std::string cert_file, std::string key_file);

  bool wanted() const { return !cert_file_.empty(); }

  // At the start, where files that are wrong end it.
  result<void> read();

  // For the next connection, from any thread. Looks at the files once a second at most. A certificate that is
  // being replaced does not fit its key for a moment: while the files are wrong the old one serves on.
  std::shared_ptr<const env::identity> current();

 private:
  std::string mark() const;
  void look_again();

  env::world world_;
  std::string cert_file_, key_file_;
  std::mutex mutex_;  // guards what follows
  std::shared_ptr<const env::identity> current_;
  std::string read_mark_, refused_mark_;  // of the files: those in use, and those last complained of
  instant next_look_{};
};

}  // namespace meshai::app
