// Loading the plugin with its manifest, and asking it.
#include "harness.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <ostream>

#include "loading/config_subject.hpp"
#include "loading/suite.hpp"

namespace rhizome::conformance {

namespace {

Result<use::Resolvers> try_open(const std::string& config) {
  return use::Resolvers::open(subject().tables, std::make_shared<use::BareHost>(), config);
}

use::Resolvers open() {
  auto opened = try_open(subject().config);
  if (!opened.ok()) {
    ADD_FAILURE() << "open: " << opened.status().to_string();
    std::exit(1);
  }
  return *opened;
}

std::uint64_t draw_seed() {
  const char* given = std::getenv("RHIZOME_SEED");
  return given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device{}();
}

}  // namespace

Subject& subject() {
  static Subject the_subject;
  return the_subject;
}

Status load(const std::string& path, const std::string& config) {
  Result<LoadedPlugin> loaded = load_library(path, "resolver");
  if (!loaded.ok()) return std::move(loaded).status();
  Result<std::string> filled = loaded->config(config);
  if (!filled.ok()) return std::move(filled).status().with_context(path);
  subject().tables = {loaded->table<rz_resolver>(RZ_RESOLVER_ID),
                      loaded->table<rz_resolver_fold>(RZ_RESOLVER_FOLD_ID)};
  subject().is_deterministic = loaded->declares(RZ_RESOLVER_CAPABILITY_DETERMINISTIC);
  subject().config = *filled;
  config_subject() = {std::move(*loaded), *filled,
                      [](const std::string& any) { return try_open(any).status(); }};
  const auto opened = try_open(*filled);
  return opened.ok() ? Status() : Status(opened.status()).with_context(path + ": open");
}

std::ostream& operator<<(std::ostream& out, const Answer& answer) {
  out << shown(answer.value);
  for (const auto& [name, ids] : answer.decided) {
    out << " " << name << ":";
    for (const std::string& id : ids) out << " " << to_hex(ByteView(id).substr(30));
  }
  return out;
}

Resolver::Resolver() : resolvers_(open()), seed_(draw_seed()) { random_.seed(seed_); }

Resolver::~Resolver() {
  if (HasFailure())
    std::fprintf(stderr, "RHIZOME_SEED=%llu\n", static_cast<unsigned long long>(seed_));
}

std::vector<Choice> Resolver::choices() const {
  const Result<std::vector<std::string>> names = resolvers_.names();
  EXPECT_TRUE(names.ok()) << names.status().to_string();
  std::vector<Choice> found;
  if (names.ok())
    for (const std::string& name : *names) found.push_back({name, ""});
  for (const auto& [name, options] : subject().options) found.push_back({name, options});
  return found;
}

use::Resolver Resolver::make(const Choice& choice) const {
  auto made = use::Resolver::create(resolvers_, choice.name, choice.options);
  if (!made.ok()) {
    ADD_FAILURE() << choice.name << " " << choice.options << ": " << made.status().to_string();
    std::exit(1);
  }
  return std::move(*made);
}

std::optional<Set> Resolver::draw_with_value(const Choice& choice) {
  for (int tries = 0; tries < 200; ++tries) {
    Set set = draw_set(random_, {});
    if (ask(choice, set).value != "no value") return set;
  }
  return std::nullopt;
}

Answer Resolver::ask(const use::Resolver& resolver, const Set& set) {
  return ask(resolver, set, resolver.inputs());
}

Answer Resolver::ask(const use::Resolver& resolver, const Set& set, std::uint64_t inputs) {
  Call call(inputs);
  call.add(set);
  const auto answers = resolver.resolve({call.properties(), call.count()});
  EXPECT_TRUE(answers.ok()) << answers.status().to_string();
  if (!answers.ok()) return {answers.status().to_string(), {}};
  const use::Resolution& own = answers->at(0);
  Answer answer{own.json.value_or("no value"), {}};
  const auto take = [&](std::size_t property, const use::Decided& decided) {
    for (std::size_t i = 0; i < call.claims(property).size(); ++i)
      if (decided.has(i)) answer.decided[call.name(property)].insert(call.claims(property)[i].id);
  };
  take(0, own.decided);
  for (const auto& [other, decided] : own.rests_on) take(other, decided);
  return answer;
}

}  // namespace rhizome::conformance
