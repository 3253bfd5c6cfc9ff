// Resolvers that show several candidates as a list, by claimed time.
#include <algorithm>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "resolvers.hpp"

namespace rhizome::standard {

namespace {

using plugin::Fold;
using plugin::Property;
using plugin::Resolution;

void append(ByteView value, std::string& list) {
  list += list.empty() ? '[' : ',';
  list.append(value);
}

// Keeps every candidate in its order: each may be shown once others are taken out.
class ListFold final : public Fold {
 public:
  explicit ListFold(std::size_t count) : count_(count) {}

  Status add(const rz_candidate& candidate) override {
    by_time_.emplace(key_of(candidate), view(candidate.json));
    return {};
  }
  Status remove(const rz_candidate& candidate) override {
    by_time_.erase(key_of(candidate));
    return {};
  }
  Status value(Value& out) const override {
    if (by_time_.empty()) return {};
    if (count_ == 0) {
      for (const auto& [key, json] : by_time_) append(json, out.json);
      out.decided_by_all = true;
    } else {
      for (auto at = by_time_.rbegin(); at != by_time_.rend() && out.ids.size() < count_; ++at) {
        append(at->second, out.json);
        out.ids.push_back(at->first.second);
      }
    }
    out.json += ']';
    return {};
  }

 private:
  using Key = std::pair<double, std::string>;  // claimed time, id
  static Key key_of(const rz_candidate& candidate) {
    return {candidate.timestamp, std::string(plugin::id_of(candidate))};
  }
  const std::size_t count_;
  std::map<Key, std::string> by_time_;
};

class ListResolver final : public plugin::Resolver {
 public:
  explicit ListResolver(std::size_t count) : count_(count) {}

  Status resolve(const Property& property, Resolution& out) const override {
    std::vector<const rz_candidate*> sorted;
    sorted.reserve(property.size());
    for (const rz_candidate& candidate : property) sorted.push_back(&candidate);
    std::sort(sorted.begin(), sorted.end(),
              [](const auto* a, const auto* b) { return plugin::is_earlier(*a, *b); });
    sorted.erase(std::unique(sorted.begin(), sorted.end(),
                             [](const auto* a, const auto* b) {
                               return plugin::id_of(*a) == plugin::id_of(*b);
                             }),
                 sorted.end());
    if (sorted.empty()) return {};
    if (count_ != 0) {
      std::reverse(sorted.begin(), sorted.end());
      sorted.resize(std::min(sorted.size(), count_));
    }
    for (const rz_candidate* candidate : sorted) {
      append(view(candidate->json), out.json);
      out.decided_by(*candidate);
    }
    out.json += ']';
    return {};
  }
  Result<std::unique_ptr<Fold>> fold() const override {
    return std::unique_ptr<Fold>(new ListFold(count_));
  }

 private:
  const std::size_t count_;
};

}  // namespace

std::unique_ptr<plugin::Resolver> make_list(std::size_t count) {
  return std::make_unique<ListResolver>(count);
}

}  // namespace rhizome::standard
