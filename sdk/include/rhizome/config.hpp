// Reading a plugin's config in C++, over rhizome/config.h. One reader for each object of the
// config; each `read` takes one key into a variable that holds the default, `finish` gives the
// first problem, for `open`, and `problems` all of them, for rhizome.config/1 (config_check.hpp): a
// value that does not fit, what the plugin itself refuses, a key that no `read` asked for.
//
//   plugin::ConfigReader config("my_store", json);
//   config.read("queue_depth", 1, 1024, depth);
//   config.read("peer", peer);
//   if (config.has("peer") && !is_address(peer)) config.refuse("/peer", "tcp://HOST:PORT", peer);
//   RZ_TRY(config.finish());
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "rhizome/bytes.hpp"
#include "rhizome/config.h"
#include "rhizome/status.hpp"

namespace rhizome::plugin {

// One thing that is wrong; as rz_config_problem.
struct ConfigProblem {
  std::string pointer;  // "/peer"; "" for the whole
  std::string expected, found;
};

// One thread. The JSON outlives the reader.
class ConfigReader {
 public:
  // `where` names the config in messages. Empty JSON is an object without members.
  ConfigReader(std::string where, ByteView json) : where_(std::move(where)) {
    if (json.empty()) return;
    std::uint64_t position = 0;
    rz_bytes key{}, value{};
    std::int32_t code = RZ_INVALID;
    if (json.find_first_not_of(" \t\r\n") != ByteView::npos &&
        json[json.find_first_not_of(" \t\r\n")] == '{')
      while ((code = rz_config_next(rhizome::to_abi(json), &position, &key, &value)) == RZ_OK)
        members_.push_back({view(key), view(value), false});
    if (code != RZ_END) refuse("", "a JSON object", json);
  }
  // Whether the config has the key; an unread one is still an unknown one.
  bool has(std::string_view key) const {
    return std::any_of(members_.begin(), members_.end(),
                       [key](const Member& member) { return member.key == key; });
  }

  // A whole number from `least` to `most`.
  void read(std::string_view key, std::uint64_t least, std::uint64_t most, std::uint64_t& out) {
    const Member* member = take(key);
    if (member == nullptr) return;
    std::uint64_t number = 0;
    if (rz_config_uint(rhizome::to_abi(member->value), &number) == RZ_OK && number >= least &&
        number <= most)
      out = number;
    else
      wrong(*member,
            "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  // A number from `least` to `most`.
  void read(std::string_view key, double least, double most, double& out) {
    const Member* member = take(key);
    if (member == nullptr) return;
    double number = 0;
    if (rz_config_number(rhizome::to_abi(member->value), &number) == RZ_OK && number >= least &&
        number <= most)
      out = number;
    else
      wrong(*member, "a number from " + std::to_string(least) + " to " + std::to_string(most));
  }
  void read(std::string_view key, bool& out) {
    const Member* member = take(key);
    if (member == nullptr) return;
    std::uint32_t truth = 0;
    if (rz_config_bool(rhizome::to_abi(member->value), &truth) == RZ_OK)
      out = truth != 0;
    else
      wrong(*member, "true or false");
  }
  void read(std::string_view key, std::string& out) {
    const Member* member = take(key);
    if (member != nullptr && !text_of(member->value, out)) wrong(*member, "a string");
  }
  // An array of strings.
  void read(std::string_view key, std::vector<std::string>& out) {
    const Member* member = take(key);
    if (member == nullptr) return;
    std::vector<std::string> items;
    std::uint64_t position = 0;
    rz_bytes name{}, value{};
    std::int32_t code = RZ_INVALID;
    if (!member->value.empty() && member->value[0] == '[')
      while ((code = rz_config_next(rhizome::to_abi(member->value), &position, &name, &value)) ==
                 RZ_OK &&
             text_of(view(value), items.emplace_back())) {
      }
    if (code == RZ_END)
      out = std::move(items);
    else
      wrong(*member, "an array of strings");
  }
  // The JSON of any value, for a reader of its own; empty where the key is missing.
  ByteView json(std::string_view key) {
    const Member* member = take(key);
    return member != nullptr ? member->value : ByteView{};
  }

  // A problem that the plugin found. `pointer`: RFC 6901, within this reader's object.
  void refuse(std::string pointer, std::string expected, ByteView found) {
    if (problems_.size() < 64)
      problems_.push_back(
          {std::move(pointer), std::move(expected), std::string(found.substr(0, 80))});
  }

  // All problems, in the order in which they were found; unknown keys come last.
  std::vector<ConfigProblem> problems() const {
    std::vector<ConfigProblem> all = problems_;
    for (const Member& member : members_)
      if (!member.taken) all.push_back({pointer_to(member.key), "no such key", "one"});
    return all;
  }
  // The first problem as a kInvalid; kInvalid also for a key that was not read.
  Status finish() const {
    if (!problems_.empty()) {
      const ConfigProblem& first = problems_.front();
      const std::string place = first.pointer.empty() ? "" : first.pointer.substr(1) + ": ";
      return {Code::kInvalid,
              where_ + ": " + place + "expected " + first.expected + ", found " + first.found};
    }
    for (const Member& member : members_)
      if (!member.taken)
        return {Code::kInvalid,
                where_ + ": unknown key '" + std::string(member.key.substr(0, 64)) + "'"};
    return {};
  }

 private:
  struct Member {
    ByteView key, value;
    bool taken;
  };
  // A repeated key: the last one counts, as in the host's own reading.
  const Member* take(std::string_view key) {
    const Member* found = nullptr;
    for (Member& member : members_)
      if (member.key == key) {
        member.taken = true;
        found = &member;
      }
    return found;
  }
  static bool text_of(ByteView value, std::string& out) {
    std::string text(value.size(), '\0');
    std::uint64_t size = 0;
    if (rz_config_text(rhizome::to_abi(value), text.data(), text.size(), &size) != RZ_OK)
      return false;
    text.resize(static_cast<std::size_t>(size));
    out = std::move(text);
    return true;
  }
  static std::string pointer_to(ByteView key) {
    std::string pointer = "/";
    for (const char c : key.substr(0, 64))
      c == '~' ? pointer += "~0" : c == '/' ? pointer += "~1" : pointer += c;
    return pointer;
  }
  void wrong(const Member& member, std::string expected) {
    refuse(pointer_to(member.key), std::move(expected), member.value);
  }

  std::string where_;
  std::vector<Member> members_;
  std::vector<ConfigProblem> problems_;
};

}  // namespace rhizome::plugin
