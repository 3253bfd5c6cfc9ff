// Bounded JSON without a tree: simdjson walks the text on demand, every key is seen in order and a
// repeated one is refused. Private to sdk/delta: json_read.cpp and lineage_read.cpp, which alone
// include simdjson. One object a text, one thread.
#pragma once

#include <simdjson.h>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "rhizome/delta/codec.hpp"
#include "rhizome/delta/json.hpp"

namespace rhizome::json_text {

namespace od = simdjson::ondemand;

inline Status bad(const std::string& where, const std::string& problem) {
  return {Code::kInvalid, where + ": " + problem};
}
inline Status bad_json(const std::string& where, simdjson::error_code error) {
  return bad(where, simdjson::error_message(error));
}

inline const char* type_name(od::json_type type) {
  switch (type) {
    case od::json_type::array:
      return "an array";
    case od::json_type::object:
      return "an object";
    case od::json_type::number:
      return "a number";
    case od::json_type::string:
      return "a string";
    case od::json_type::boolean:
      return "true or false";
    case od::json_type::null:
      return "null";
  }
  return "something else";
}

// Strings that it gives out live in its buffer, as long as the reader.
class Reader {
 public:
  explicit Reader(ByteView json) : text_(json) {}

  // Calls field(key, value) for each field of the document's object.
  template <typename Field>
  Status document(Field&& field) {
    if (text_.size() > kJsonMaxBytes)
      return {Code::kLimit, "JSON: " + std::to_string(text_.size()) + " bytes; at most 4 MiB"};
    padded_ = simdjson::padded_string(text_);
    if (const auto error = parser_.iterate(padded_).get(document_)) return bad_json("JSON", error);
    od::object object;
    if (const auto error = document_.get_object().get(object))
      return bad("JSON", error == simdjson::INCORRECT_TYPE ? "expected an object"
                                                           : simdjson::error_message(error));
    RZ_TRY(fields(object, "", std::forward<Field>(field)));
    const char* behind = nullptr;
    if (document_.current_location().get(behind) == simdjson::OUT_OF_BOUNDS) return {};
    return bad("JSON", "more text behind the object");
  }

  // Calls field(key, value, where) for each field of an object. A repeated key is refused.
  template <typename Field>
  Status fields(od::object& object, const std::string& where, Field&& field,
                std::size_t most = kFewKeys) {
    std::vector<std::string_view> seen;         // keys lie in the parser's buffer
    std::unordered_set<std::string_view> rest;  // where there may be thousands
    for (auto entry : object) {
      std::string_view key;
      if (const auto error = entry.unescaped_key().get(key))
        return bad_json(where.empty() ? "JSON" : where, error);
      if (!is_valid_utf8(key)) return bad(where.empty() ? "JSON" : where, "a key is not UTF-8");
      const std::string at = where.empty() ? std::string(key) : where + "." + std::string(key);
      const bool known = std::find(seen.begin(), seen.end(), key) != seen.end() ||
                         (seen.size() == kFewKeys && !rest.insert(key).second);
      if (known) return bad(at, "the key stands twice; expected once");
      if (seen.size() < kFewKeys) seen.push_back(key);
      if (seen.size() + rest.size() > most)
        return bad(at, "over " + std::to_string(most) + " keys");
      od::value value;
      if (const auto error = entry.value().get(value)) return bad_json(at, error);
      RZ_TRY(field(key, value, at));
    }
    return {};
  }

  Status text(od::value& value, const std::string& at, std::optional<ByteView>& out) {
    std::string_view found;
    if (const auto error = value.get_string().get(found))
      return wrong_type(value, at, "a string", error);
    if (!is_valid_utf8(found)) return bad(at, "not valid UTF-8");
    out = found;
    return {};
  }

  Status number(od::value& value, const std::string& at, std::optional<double>& out) {
    od::json_type type{};
    if (const auto error = value.type().get(type)) return bad_json(at, error);
    if (type != od::json_type::number)
      return bad(at, std::string("expected a number, found ") + type_name(type));
    ByteView token = value.raw_json_token();
    while (!token.empty() && (token.back() == ' ' || token.back() == '\n' || token.back() == '\r' ||
                              token.back() == '\t'))
      token.remove_suffix(1);
    double found = 0;
    if (const auto error = value.get_double().get(found)) return bad_json(at, error);
    if (!std::isfinite(found)) return bad(at, "not a finite double");
    constexpr double kExact = 9007199254740992.0;  // 2^53
    if (std::abs(found) >= kExact && token.find_first_of(".eE") == ByteView::npos) {
      char exact[400];
      std::snprintf(exact, sizeof exact, "%.0f", found);
      if (token != exact)
        return bad(at, "the integer " + std::string(token.substr(0, 40)) +
                           " is not exactly representable as a double; write it as a string");
    }
    out = found;
    return {};
  }

  static Status wrong_type(od::value& value, const std::string& at, const char* expected,
                           simdjson::error_code error) {
    if (error != simdjson::INCORRECT_TYPE) return bad_json(at, error);
    od::json_type type{};
    if (const auto unknown = value.type().get(type)) return bad_json(at, unknown);
    return bad(at, std::string("expected ") + expected + ", found " + type_name(type));
  }

 private:
  static constexpr std::size_t kFewKeys = 16;

  const ByteView text_;
  simdjson::padded_string padded_;
  od::parser parser_;
  od::document document_;
};

}  // namespace rhizome::json_text
