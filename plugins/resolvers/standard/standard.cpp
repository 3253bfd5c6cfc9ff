// The standard resolvers: last write, first write, all. Each is a pure function of the set of its
// candidates: any order, any duplication, the same bytes. The host calls them on any thread.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "rhizome/resolver.hpp"

namespace {

using rhizome::ByteView;
using rhizome::Code;
using rhizome::Result;
using rhizome::Status;
using rhizome::view;

enum class Kind { kLastWriteWins, kFirstWrite, kAll };
constexpr struct {
  ByteView name;
  Kind kind;
} kKinds[] = {{"last-write-wins", Kind::kLastWriteWins},
              {"first-write", Kind::kFirstWrite},
              {"all", Kind::kAll}};

// The total order that every choice follows: claimed time, then author, then delta id, so that no
// tie is left to the order of arrival. One delta may claim two values: those follow their bytes.
bool before(const rz_candidate& a, const rz_candidate& b) {
  if (a.timestamp != b.timestamp) return a.timestamp < b.timestamp;
  if (const int order = view(a.author).compare(view(b.author)); order != 0) return order < 0;
  if (const int order = std::memcmp(a.id, b.id, sizeof a.id); order != 0) return order < 0;
  return view(a.value) < view(b.value);
}

bool same(const rz_candidate& a, const rz_candidate& b) { return !before(a, b) && !before(b, a); }

class Standard {
 public:
  static std::vector<ByteView> names() {
    std::vector<ByteView> known;
    for (const auto& kind : kKinds) known.push_back(kind.name);
    return known;
  }

  static Result<std::unique_ptr<Standard>> create(ByteView name, ByteView options) {
    const std::string called(name.substr(0, 64));
    const auto* known = std::find_if(std::begin(kKinds), std::end(kKinds),
                                     [&](const auto& kind) { return kind.name == name; });
    if (known == std::end(kKinds))
      return Status(Code::kNotFound, "resolver '" + called +
                                         "' is unknown; known: last-write-wins, first-write, all");
    if (!options.empty() && options != "{}")
      return Status(Code::kInvalid, "resolver " + called + ": takes no options");
    return std::make_unique<Standard>(known->kind);
  }

  explicit Standard(Kind kind) : kind_(kind) {}

  Status resolve(std::span<const rz_candidate> candidates, std::string& json) const {
    if (kind_ == Kind::kAll) {
      append_all(candidates, json);
    } else if (!candidates.empty()) {
      const auto chosen = kind_ == Kind::kLastWriteWins
                              ? std::max_element(candidates.begin(), candidates.end(), before)
                              : std::min_element(candidates.begin(), candidates.end(), before);
      json.append(view(chosen->value));
    }
    return {};
  }

 private:
  static void append_all(std::span<const rz_candidate> candidates, std::string& json) {
    std::vector<rz_candidate> sorted(candidates.begin(), candidates.end());
    std::sort(sorted.begin(), sorted.end(), before);
    sorted.erase(std::unique(sorted.begin(), sorted.end(), same), sorted.end());
    json.push_back('[');
    for (const rz_candidate& candidate : sorted) {
      if (json.size() > 1) json.push_back(',');
      json.append(view(candidate.value));
    }
    json.push_back(']');
  }

  Kind kind_;
};

constexpr rz_resolver kTable = rhizome::plugin::resolver_table<Standard>();

}  // namespace

RHIZOME_PLUGIN({RZ_RESOLVER_ID, &kTable})
