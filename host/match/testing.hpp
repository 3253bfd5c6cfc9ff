// For the tests and the bench of the filter index: the loaded JSON-Logic plugin, and small deltas.
#pragma once

#include <dlfcn.h>

#include <cstdio>
#include <cstdlib>
#include <deque>
#include <functional>
#include <string>

#include "match/match.hpp"
#include "rhizome/delta/codec.hpp"

namespace rhizome::match_testing {

// What the program has allocated so far (allocations.cpp).
std::uint64_t allocations();

inline const rz_plugin* plugin() {
  static const rz_plugin* const loaded = [] {
#ifdef PLUGIN_FILE
    const std::string path = PLUGIN_FILE;
#else
    const char* build = std::getenv("RHIZOME_BUILD_DIR");
    const std::string path =
        std::string(build != nullptr ? build : "build") + "/lib/rhizome/plugins/jsonlogic.so";
#endif
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (library == nullptr) {
      std::fprintf(stderr, "%s\n", dlerror());
      std::abort();
    }
    return static_cast<const rz_plugin*>(dlsym(library, RZ_PLUGIN_SYMBOL));
  }();
  return loaded;
}
template <typename Table>
const Table* table(const char* id) {
  return static_cast<const Table*>(plugin()->get_interface(id));
}
inline use::FilterLanguage opened(const use::FilterTables& tables) {
  auto language = use::FilterLanguage::open(tables, std::make_shared<use::BareHost>(), "{}");
  if (!language.ok()) std::abort();
  return std::move(*language);
}
// Asks many pairs with one call, or each of them.
inline const use::FilterLanguage& language() {
  static const auto made =
      opened({table<rz_filter>(RZ_FILTER_ID), table<rz_filter_pairs>(RZ_FILTER_PAIRS_ID)});
  return made;
}
inline const use::FilterLanguage& language_without_pairs() {
  static const auto made = opened({table<rz_filter>(RZ_FILTER_ID)});
  return made;
}

inline std::shared_ptr<const use::Filter> compile(const std::string& rule,
                                                  const use::FilterLanguage& of = language()) {
  auto filter = use::Filter::compile(of, rule);
  if (!filter.ok()) {
    std::fprintf(stderr, "%s: %s\n", rule.c_str(), filter.status().to_string().c_str());
    std::abort();
  }
  return std::make_shared<const use::Filter>(std::move(*filter));
}

inline void append(DeltaBatch& batch, const std::string& author, double timestamp,
                   const std::vector<Pointer>& pointers) {
  std::string claims;
  if (!encode_claims(author, timestamp, pointers, claims).ok() ||
      decode_claims(claims, batch) != DecodeError::kNone)
    std::abort();
}

// The usual claim: an entity's property has a value.
inline DeltaBatch one_delta(const std::string& author, double timestamp, const std::string& entity,
                            const std::string& property, const Target& value) {
  DeltaBatch batch;
  append(batch, author, timestamp, {{"of", EntityRef{entity, property}}, {property, value}});
  return batch;
}

// Makes choices: number(n) is below n.
using Choose = std::function<std::uint32_t(std::uint32_t)>;

inline std::string reference_id(std::uint32_t number) {
  return DeltaId::of_claims("delta " + std::to_string(number)).hex();
}

// A rule of few words, so that rules and deltas meet: every kind of condition that the index knows,
// and kinds that it does not.
inline std::string random_rule(const Choose& number, int depth = 3) {
  const auto word = [&](const char* kind) {
    return '"' + std::string(kind) + std::to_string(number(6)) + '"';
  };
  const auto words = [&](const char* kind) {
    return '[' + word(kind) + ',' + word(kind) + ',' + word(kind) + ']';
  };
  const auto constant = [&]() -> std::string {
    static const char* const kConstants[] = {"1",        "2.5",    "true", "\"1\"",
                                             "\" 2.5\"", "\"t1\"", "0"};
    return kConstants[number(7)];
  };
  const auto comparison = [&]() -> std::string {
    static const char* const kAll[] = {"==", "===", "<", "<=", ">", ">=", "!="};
    return '"' + std::string(kAll[number(7)]) + '"';
  };
  const auto reference = [&] { return '"' + reference_id(number(4)) + '"'; };
  const std::string author = R"({"var":"author"})", time = R"({"var":"timestamp"})";
  const auto inner = [&] { return random_rule(number, depth - 1); };
  switch (number(depth > 0 ? 18 : 12)) {
    case 0:
      return R"({"==":[)" + author + ',' + word("a") + "]}";
    case 1:
      return R"({"in":[)" + author + ',' + words("a") + "]}";
    case 2:
      return R"({"@entity":)" + word("e") + '}';
    case 3:
      return R"({"@entity":[)" + word("e") + ',' + word("c") + "]}";
    case 4:
      return R"({"@context":)" + word("c") + '}';
    case 5:
      return R"({"@role":)" + word("r") + '}';
    case 6:
    case 7:
      return R"({"@value":[)" + word("r") + ',' + comparison() + ',' + constant() + "]}";
    case 8:
      return R"({"@value":[)" + word("r") + R"(,"in",[)" + constant() + ',' + constant() + "]]}";
    case 9:
      return "{" + comparison() + ":[" + time + ',' + std::to_string(number(10)) + "]}";
    case 10:
      return R"({"<":[)" + std::to_string(number(10)) + ',' + time + ',' +
             std::to_string(number(10)) + "]}";
    case 11:
      return number(4) == 0 ? R"({"@reference":)" + reference() + "}"
                            : R"({"some":[{"var":"pointers"},{"in":[{"var":"target.id"},)" +
                                  words("e") + "]}]}";
    case 12:
    case 13:
    case 14:
      return R"({"and":[)" + inner() + ',' + inner() + "]}";
    case 15:
      return R"({"or":[)" + inner() + ',' + inner() + "]}";
    case 16:
      return R"({"!":[)" + inner() + "]}";
    default:
      return R"({"if":[)" + inner() + ',' + inner() + ',' + inner() + "]}";
  }
}

inline void append_random(const Choose& number, DeltaBatch& batch) {
  std::deque<std::string> texts;
  const auto word = [&](const char* kind) {
    texts.push_back(kind + std::to_string(number(6)));
    return ByteView(texts.back());
  };
  const auto target = [&]() -> Target {
    static const char* const kTexts[] = {"1", " 2.5", "t1", "", " ", "0x1"};
    switch (number(6)) {
      case 0:
        return number(2) == 0 ? 1.0 : 2.5;
      case 1:
        return number(2) == 0;
      case 2:
        return ByteView(kTexts[number(6)]);
      case 3:
        if (number(2) == 0) return BytesTarget{"m", "b"};
        texts.push_back(reference_id(number(4)));
        return DeltaRef{ByteView(texts.back()), number(2) == 0 ? word("c") : ByteView()};
      default:
        return EntityRef{word("e"), word("c")};
    }
  };
  std::vector<Pointer> pointers;
  const std::uint32_t count = 1 + number(4);
  for (std::uint32_t i = 0; i < count; ++i) pointers.push_back({word("r"), target()});
  append(batch, std::string(word("a")), number(10), pointers);
}

}  // namespace rhizome::match_testing
