// app: a JSON object read leniently, for what the command line shows of it: a newer or older node may say more or
// less.
#pragma once

#include <boost/json/value.hpp>
#include <string>
#include <string_view>

namespace meshai::app {

// A view: the value outlives it. What is missing, or of another kind, is empty, zero, false, or has no members.
class fields {
 public:
  explicit fields(const boost::json::value& of) : object_(of.if_object()) {}
  explicit fields(const boost::json::object& of) : object_(&of) {}

  std::string text(std::string_view name) const;  // printable, see terminal.hpp
  double number(std::string_view name) const;
  bool flag(std::string_view name) const;
  const boost::json::array& list(std::string_view name) const;
  fields in(std::string_view name) const;

 private:
  const boost::json::value* find(std::string_view name) const {
    return object_ ? object_->if_contains(name) : nullptr;
  }
  const boost::json::object* object_;
};

}  // namespace meshai::app
