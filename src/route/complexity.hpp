// route: how hard a question looks: what "auto" goes by.
//
// Two views. A written rule adds points for what makes an answer long or thoughtful and takes them away for what
// is a look-up; it knows what people ask for, and data/everyday.txt holds it to what a person would choose. The
// trained gain (gain.hpp) says how much more often a stronger model is right; it knows questions that have one
// right answer. So where a question lists its options, the gain decides between medium and hard, and elsewhere the
// points decide.
//
// Both look at what the last user message asks for (see asked.hpp); the rule also at the size of the conversation
// and at what is asked for around it (tools, a schema, reasoning). It is a guess that costs some microseconds; a
// wrong one costs a worse or a dearer answer, never none.
#pragma once

#include <cstdint>
#include <string_view>

#include "chat/chat.hpp"

namespace meshai::route {

enum class complexity { simple, medium, hard };
std::string_view to_string(complexity how);

struct features {
  std::size_t words = 0;      // of the last user message; scripts without spaces count two characters as a word
  std::size_t turns = 0;      // user messages
  std::size_t text_size = 0;  // bytes of the whole conversation
  int hard_words = 0;         // "plan", "implement", "analyse", "prove" and their like in several languages
  int easy_words = 0;         // "what is", "who", "hello", "translate", ...
  bool code = false;          // a fence, or lines that look like a program
  bool arithmetic = false;    // a small sum
  bool options = false;       // it lists what to choose from
  bool tools = false, images = false, schema = false, reasoning = false, long_answer = false;
};

struct judgement {
  complexity how = complexity::simple;
  int score = 0;     // points: up to 1 simple, up to 4 medium, beyond that hard
  double gain = 0;   // of 1: how much more often a stronger model is expected to be right
  double value = 0;  // 0 to 1: grows with the gain, and without options with the points too
  features seen;
};
// Without options the gain moves no class, and costs more than all the rest: for a decision it is left out there,
// and the value goes by the points alone.
enum class extent : std::uint8_t { decision, all };
judgement judge(const chat::request& of, extent wanted = extent::all);

// Tokens the prompt is likely to have: four bytes of UTF-8 each, images apart (about 1,000 each).
std::int64_t estimate_tokens(const chat::request& of);

}  // namespace meshai::route
