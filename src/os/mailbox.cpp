#include "os/mailbox.hpp"

#include <boost/asio/post.hpp>

namespace meshai::os {

void mailbox::post(std::move_only_function<void()> work) {
  const std::lock_guard lock(mutex_);
  if (open_) boost::asio::post(loop_, std::move(work));
}

void mailbox::close() {
  const std::lock_guard lock(mutex_);
  open_ = false;
}

}  // namespace meshai::os
