// meshai models: the GGUF files on this device.
#include <fmt/format.h>

#include <boost/json.hpp>

#include "app/commands.hpp"
#include "app/instance.hpp"
#include "app/paths.hpp"
#include "app/terminal.hpp"
#include "engine/engine.hpp"

namespace meshai::app {
namespace {

namespace json = boost::json;
using engine::catalogue;

json::object describe(const engine::model_entry& one) {
  json::object out{{"name", one.name}, {"file", one.file.string()}, {"default", one.is_default}};
  if (one.header) {
    out["architecture"] = one.header->architecture;
    out["form"] = one.header->quantisation;
    out["parameters"] = one.header->parameters;
    out["context"] = one.header->context;
    out["bytes"] = one.header->file_size;
  } else {
    out["problem"] = one.header.error().detail;
  }
  return out;
}

std::string show(const engine::model_entry& one) {
  const auto mark = one.is_default ? paint("*", style::green) : std::string(" ");
  if (!one.header)
    return fmt::format("{} {:<36} {}\n", mark, one.name, paint(one.header.error().detail, style::red));
  return fmt::format("{} {:<36} {:>6} {:<6} {:>8.0f} MB  context {}\n", mark, one.name,
                     engine::parameter_count(one.header->parameters), one.header->quantisation,
                     static_cast<double>(one.header->file_size) / 1e6, one.header->context);
}

int list(const catalogue& from, const models_options& how) {
  const auto all = from.list();
  if (how.names) {
    for (const auto& one : all) print(printable(one.name) + "\n");
    return exit_ok;
  }
  if (how.json) {
    json::array out;
    for (const auto& one : all) out.push_back(describe(one));
    print(json::serialize(out) + "\n");
    return exit_ok;
  }
  for (const auto& one : all) print(show(one));
  if (all.empty()) print("no models yet; type: meshai models add FILE.gguf\n", 2);
  return exit_ok;
}

// A running engine takes a new default up by itself, between two requests.
int done(const paths& where, const std::string& what, const std::string& name, bool is_default, bool json_wanted) {
  if (json_wanted) {
    print(json::serialize(json::object{{what, name}, {"default", is_default}}) + "\n");
  } else {
    print(fmt::format("{} {}{}\n", what, name,
                      is_default ? ", now the default"
                                 : fmt::format("; to make it the default, type: meshai models use {}", name)));
    if (is_default && running_node(where)) print("the running node takes it up as soon as it answers nobody\n");
  }
  return exit_ok;
}

int add(const paths& where, const catalogue& to, const models_options& how) {
  const auto added = to.add(std::filesystem::absolute(how.name), how.as);
  if (!added) return complain(added.error().detail, exit_failed, how.json);
  if (how.make_default) {
    if (const auto set = to.set_default(added->name); !set)
      return complain(set.error().detail, exit_failed, how.json);
  }
  return done(where, "added", added->name, how.make_default || added->is_default, how.json);
}

int use(const paths& where, const catalogue& of, const models_options& how) {
  if (const auto set = of.set_default(how.name); !set) return complain(set.error().detail, exit_failed, how.json);
  return done(where, "using", how.name, true, how.json);
}

int show_card(const catalogue& of, const models_options& how) {
  const auto card = of.card(how.name);
  if (!card) return complain(card.error().detail, exit_failed, how.json);
  if (!how.json) {
    print(printable(*card));
    return exit_ok;
  }
  const auto found = of.find(how.name);
  if (!found) return complain(found.error().detail, exit_failed, how.json);
  auto out = describe(*found);
  out["card"] = *card;
  print(json::serialize(out) + "\n");
  return exit_ok;
}

}  // namespace

int models(const models_options& how) {
  const auto where = find_paths();
  if (!where) return complain(where.error().detail, exit_configuration, how.json);
  const catalogue all(where->data);
  using verb = models_options::verb;
  switch (how.what) {
    case verb::list:
      return list(all, how);
    case verb::add:
      return add(*where, all, how);
    case verb::show:
      return show_card(all, how);
    case verb::use:
      return use(*where, all, how);
  }
  return exit_usage;
}

}  // namespace meshai::app
