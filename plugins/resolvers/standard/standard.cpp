// The standard resolvers: last write, first write, all. Each is a pure function of the set of its
// candidates: any order, any duplication, the same bytes. The host calls them on any thread.
#include <algorithm>
#include <cstring>
#include <string>
#include <vector>

#include "rhizome/abi/resolver.h"
#include "rhizome/plugin.hpp"

namespace {

using rhizome::ByteView;
using rhizome::view;
using rhizome::plugin::fail;
using rhizome::plugin::guard;

enum class Kind { kLastWriteWins, kFirstWrite, kAll };
constexpr struct {
  ByteView name;
  Kind kind;
} kKinds[] = {{"last-write-wins", Kind::kLastWriteWins},
              {"first-write", Kind::kFirstWrite},
              {"all", Kind::kAll}};

// The total order that every choice follows: claimed time, then author, value and delta id, so that
// no tie is left to the order of arrival.
bool before(const rz_candidate& a, const rz_candidate& b) {
  if (a.timestamp != b.timestamp) return a.timestamp < b.timestamp;
  if (const int order = view(a.author).compare(view(b.author)); order != 0) return order < 0;
  if (const int order = std::memcmp(a.id, b.id, sizeof a.id); order != 0) return order < 0;
  return view(a.value) < view(b.value);
}

bool same(const rz_candidate& a, const rz_candidate& b) { return !before(a, b) && !before(b, a); }

std::int32_t create(rz_bytes name, rz_bytes options, void** resolver, rz_error* error) {
  return guard(error, [&]() -> std::int32_t {
    const ByteView given = view(options);
    if (!given.empty() && given != "{}")
      return fail(error, RZ_INVALID, "resolver " + std::string(view(name)) + ": takes no options");
    for (const auto& known : kKinds) {
      if (known.name != view(name)) continue;
      *resolver = new Kind(known.kind);
      return RZ_OK;
    }
    return fail(error, RZ_NOT_FOUND,
                "resolver '" + std::string(view(name).substr(0, 64)) +
                    "' is unknown; known: last-write-wins, first-write, all");
  });
}

void release(void* resolver) { delete static_cast<Kind*>(resolver); }

std::int32_t names(const rz_sink* sink, rz_error* error) {
  return guard(error, [&]() -> std::int32_t {
    for (const auto& known : kKinds)
      if (const std::int32_t code = sink->write(sink->context, rhizome::to_abi(known.name));
          code != RZ_OK)
        return code;
    return RZ_OK;
  });
}

std::int32_t write_all(const rz_candidate* candidates, std::uint64_t count, const rz_sink* sink) {
  std::vector<rz_candidate> sorted(candidates, candidates + count);
  std::sort(sorted.begin(), sorted.end(), before);
  sorted.erase(std::unique(sorted.begin(), sorted.end(), same), sorted.end());
  std::string out = "[";
  for (const rz_candidate& candidate : sorted) {
    if (out.size() > 1) out.push_back(',');
    out.append(view(candidate.value));
  }
  out.push_back(']');
  return sink->write(sink->context, rhizome::to_abi(out));
}

std::int32_t resolve(void* resolver, const rz_candidate* candidates, std::uint64_t count,
                     const rz_sink* sink, rz_error* error) {
  return guard(error, [&]() -> std::int32_t {
    const Kind kind = *static_cast<const Kind*>(resolver);
    if (kind == Kind::kAll) return write_all(candidates, count, sink);
    if (count == 0) return RZ_OK;
    const rz_candidate* chosen = kind == Kind::kLastWriteWins
                                     ? std::max_element(candidates, candidates + count, before)
                                     : std::min_element(candidates, candidates + count, before);
    return sink->write(sink->context, chosen->value);
  });
}

constexpr rz_resolver kTable = {create, release, names, resolve};

}  // namespace

RHIZOME_PLUGIN({RZ_RESOLVER_ID, &kTable})
