#include "chat/json.hpp"

#include <gtest/gtest.h>

namespace meshai::chat::json {
namespace {

std::string fault_of(std::string_view text) {
  document parsed;
  const auto root = parsed.parse(text);
  return root ? "none" : root.error().detail + " at " + spell_position(text, root.error().offset);
}

TEST(json, says_where_a_text_breaks) {
  EXPECT_EQ(fault_of(R"({"a":1})"), "none");
  EXPECT_EQ(fault_of("{\"a\":\n  oops}"), "syntax error at line 2, column 3");
  EXPECT_EQ(fault_of(R"({"a":1)"), "the text ends too early at line 1, column 7");
  EXPECT_EQ(fault_of(R"({} {})"), "something follows the end of the JSON text at line 1, column 4");
  EXPECT_EQ(fault_of(""), "the text ends too early at line 1, column 1");
  EXPECT_NE(fault_of("\"\xff\""), "none");
  EXPECT_NE(fault_of(R"("\ud800 alone")"), "none");
  EXPECT_NE(fault_of("NaN"), "none");
  EXPECT_NE(fault_of("{'a':1}"), "none");
  EXPECT_NE(fault_of("[1,]"), "none");
}

TEST(json, is_bounded_in_depth_and_number) {
  EXPECT_EQ(fault_of(std::string(64, '[') + std::string(64, ']')), "none");
  EXPECT_TRUE(fault_of(std::string(65, '[') + std::string(65, ']')).starts_with("nested deeper than 64 levels"));

  const auto list = [](std::size_t values) {
    std::string text = "[0";
    for (std::size_t i = 1; i < values; ++i) text += ",0";
    return text + "]";
  };
  EXPECT_EQ(fault_of(list(max_values - 1)), "none");
  EXPECT_TRUE(fault_of(list(max_values)).starts_with("more than 200000 values"));
  // Commas in strings are no values.
  EXPECT_EQ(fault_of("[\"" + std::string(300'000, ',') + "\\\",\"]"), "none");
  EXPECT_NE(fault_of("[\"" + std::string(300'000, ',')), "none");
}

TEST(json, a_document_can_be_used_again) {
  document parsed;
  EXPECT_FALSE(parsed.parse("[1,"));
  const auto second = parsed.parse(R"({"a":"a string that is too long to be kept in place"})");
  ASSERT_TRUE(second);
  EXPECT_EQ(string_or_empty((*second)->get_object(), "a"), "a string that is too long to be kept in place");
}

TEST(json, complaints_name_the_place) {
  document parsed;
  const auto root =
      parsed.parse(R"({"messages":[{"content":"x"},{"content":[{"type":7}]}],"n":2.5,"t":9,"s":true})");
  ASSERT_TRUE(root);
  const auto& body = (*root)->get_object();
  const auto complaint = [&](auto look) {
    checker check(**root);
    look(check);
    return check.ok() ? std::string("none") : check.take().message;
  };
  EXPECT_EQ(complaint([&](checker& c) {
              const auto& message = (*c.array_at(body, "messages"))[1].get_object();
              c.string((*c.array_at(message, "content"))[0].get_object(), "type");
            }),
            "messages[1].content[0].type must be a string");
  EXPECT_EQ(
      complaint([&](checker& c) { c.required_string((*c.array_at(body, "messages"))[0].get_object(), "role"); }),
      "messages[0].role is required and missing");
  EXPECT_EQ(complaint([&](checker& c) { c.integer(body, "n"); }), "n must be an integer");
  EXPECT_EQ(complaint([&](checker& c) { c.number(body, "t", 0, 2); }), "t must be a number from 0 to 2");
  EXPECT_EQ(complaint([&](checker& c) { c.integer(body, "t", 1, 4); }), "t must be an integer from 1 to 4");
  EXPECT_EQ(complaint([&](checker& c) { c.number(body, "s", 0, 2); }), "s must be a number");
  EXPECT_EQ(complaint([&](checker& c) { c.object_at(body, "s"); }), "s must be an object");
  EXPECT_EQ(complaint([&](checker& c) { c.array_at(body, "s"); }), "s must be an array");
  EXPECT_EQ(complaint([&](checker& c) { c.boolean(body, "n"); }), "n must be true or false");
  EXPECT_EQ(complaint([&](checker& c) {
              c.required_object(body, "first");
              c.required_object(body, "second");
            }),
            "first is required and missing");
  EXPECT_EQ(complaint([&](checker& c) { EXPECT_FALSE(c.string(body, "absent")); }), "none");
}

TEST(json, integers_may_come_as_floating_point) {
  document parsed;
  const auto root = parsed.parse(R"({"a":100.0,"b":1e300,"c":18446744073709551615})");
  ASSERT_TRUE(root);
  const auto& body = (*root)->get_object();
  checker check(**root);
  EXPECT_EQ(check.integer(body, "a"), 100);
  EXPECT_TRUE(check.ok());
  EXPECT_FALSE(check.integer(body, "b"));
  EXPECT_FALSE(check.ok());
  checker again(**root);
  EXPECT_FALSE(again.integer(body, "c"));
  EXPECT_FALSE(again.ok());
}

TEST(json, walks_over_text) {
  constexpr std::string_view text = R"( { "a" : [1, {"x":"}"}] ,"b":"\\\"" , "c" : true})";
  std::string seen;
  for (walk members(text); members.next();)
    seen.append(members.name()).append("=").append(members.raw()).append(";");
  EXPECT_EQ(seen, R"(a=[1, {"x":"}"}];b="\\\"";c=true;)");
  EXPECT_EQ(raw_member_of(text, "c"), "true");
  EXPECT_EQ(raw_member_of(text, "x"), "");
  EXPECT_FALSE(walk("{}").next());
  EXPECT_FALSE(walk("[ ]").next());
}

TEST(json, finds_members_that_stand_twice) {
  const auto twice = [](std::string_view text) {
    document parsed;
    return duplicate_member((*parsed.parse(text))->get_object(), text);
  };
  EXPECT_EQ(twice(R"({"a":1,"b":{"a":2}})"), "");
  EXPECT_EQ(twice(R"({"a":1,"b":2,"a":3})"), "a");
  EXPECT_NE(twice(R"({"a":1,"\u0061":3})"), "");
}

TEST(json, writes_what_reads_back) {
  std::string out;
  writer(out)
      .begin_object()
      .member("text", "a \"quote\", a \\, a\nline, \x01 and \xc3\xa9")
      .member_integer("i", -5)
      .member_number("x", 0.1)
      .member_number("one", 1)
      .member_boolean("yes", true)
      .member_null("nothing")
      .key("list")
      .begin_array()
      .integer(1)
      .begin_object()
      .end_object()
      .raw("[2]")
      .end_array()
      .members({{"an \"odd\" name", "{}"}})
      .end_object();
  EXPECT_EQ(out,
            "{\"text\":\"a \\\"quote\\\", a \\\\, a\\nline, \\u0001 and \xc3\xa9\",\"i\":-5,\"x\":0.1,\"one\":1.0,"
            "\"yes\":true,\"nothing\":null,\"list\":[1,{},[2]],\"an \\\"odd\\\" name\":{}}");
  document parsed;
  const auto root = parsed.parse(out);
  ASSERT_TRUE(root);
  EXPECT_EQ(to_text(**root), out);
}

TEST(json, cleans_text_from_outside) {
  EXPECT_EQ(clean_utf8("caf\xc3\xa9", 100), "caf\xc3\xa9");
  EXPECT_EQ(clean_utf8("caf\xc3\xa9", 4), "caf");
  EXPECT_EQ(clean_utf8("a\xff z", 100), "a\xef\xbf\xbd z");
  EXPECT_EQ(clean_utf8("\xed\xa0\x80", 100), "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd");  // a surrogate
  EXPECT_EQ(clean_utf8("\xc0\xaf", 100), "\xef\xbf\xbd\xef\xbf\xbd");                  // an overlong form
}

}  // namespace
}  // namespace meshai::chat::json
