// Both views from the entity's deltas: gate transactions, apply negations, group by context.
#include "views/entity.hpp"

#include <algorithm>
#include <map>
#include <optional>

#include "rhizome/delta/json.hpp"
#include "views/visible.hpp"

namespace rhizome {

namespace {

// The contexts under which a delta points at the entity, each once.
std::vector<ByteView> contexts_of(DeltaView delta, ByteView entity) {
  std::vector<ByteView> contexts;
  for (std::size_t i = 0; i < delta.size(); ++i) {
    const PointerView p = delta[i];
    if (!p.is_entity() || p.target() != entity || p.context().empty()) continue;
    if (std::find(contexts.begin(), contexts.end(), p.context()) == contexts.end())
      contexts.push_back(p.context());
  }
  return contexts;
}

// What says something about the delta itself and nothing about the entity.
bool is_vocabulary(PointerView p) {
  const ByteView role = p.role();
  return role == "negates" || role.starts_with("rhizomatic.txn.") ||
         role.starts_with("rhizome.lineage.");
}

// What a delta says about the entity's property: its pointers but the one that stands for the
// entity there. One primitive or reference is the value itself; several make an object by role.
std::string value_of(DeltaView delta, ByteView entity, ByteView context) {
  std::map<std::string, std::vector<std::string>> by_role;
  std::size_t others = 0;
  bool itself = false;
  for (std::size_t i = 0; i < delta.size(); ++i) {
    const PointerView p = delta[i];
    if (!itself && p.is_entity() && p.target() == entity && p.context() == context) {
      itself = true;
      continue;
    }
    if (is_vocabulary(p)) continue;
    std::string value;
    if (p.is_entity())
      append_json_string(p.target(), value);
    else
      target_to_json(p, value);
    by_role[std::string(p.role())].push_back(std::move(value));
    ++others;
  }
  if (others == 0) return "null";
  if (others == 1) return by_role.begin()->second.front();
  std::string out = "{";
  for (const auto& [role, values] : by_role) {
    if (out.size() > 1) out.push_back(',');
    append_json_string(role, out);
    out += values.size() == 1 ? ":" : ":[";
    for (std::size_t i = 0; i < values.size(); ++i) out += (i == 0 ? "" : ",") + values[i];
    if (values.size() != 1) out.push_back(']');
  }
  return out + "}";
}

const char* signature_name(std::uint32_t state) {
  switch (state) {
    case RZ_SIGNATURE_VERIFIED:
      return "verified";
    case RZ_SIGNATURE_VOUCHED:
      return "vouched";
    default:
      return "unsigned";
  }
}

// A view is made in memory.
constexpr std::size_t kMaxDeltas = 262144;

struct Grouped {
  DeltaBatch deltas;
  std::vector<Seq> seqs;
  std::map<std::string, std::vector<std::size_t>> by_context;
};

Status group(const Journal& journal, ByteView entity, Beside* beside, Grouped& out) {
  RZ_TRY(journal.by_entity(entity, std::nullopt, out.seqs));
  if (out.seqs.empty())
    return {Code::kNotFound,
            "no delta points at the entity '" + std::string(entity.substr(0, 200)) + "'"};
  if (out.seqs.size() > kMaxDeltas)
    return {Code::kLimit, "the entity '" + std::string(entity.substr(0, 200)) + "' has " +
                              std::to_string(out.seqs.size()) +
                              " deltas; a view takes at most 262144: query them with --context"};
  RZ_TRY(journal.read(out.seqs, out.deltas));
  Visibility visibility(journal);
  for (std::size_t i = 0; i < out.deltas.size(); ++i) {
    const Result<bool> visible = visibility.is_visible(out.deltas[i]);
    if (!visible.ok()) return visible.status();
    if (!*visible) continue;
    if (beside != nullptr) {
      const Result<bool> counts = beside->counts(out.seqs[i]);
      if (!counts.ok()) return counts.status();
      if (!*counts) continue;
    }
    for (const ByteView context : contexts_of(out.deltas[i], entity))
      out.by_context[std::string(context)].push_back(i);
  }
  return {};
}

Status add_beside(Beside* beside, std::span<const Seq> seqs, std::string& out) {
  if (beside == nullptr) return {};
  Result<std::string> members = beside->members(seqs);
  if (!members.ok()) return members.status();
  out += "," + *members;
  return {};
}

// One property through the resolver: what it shows, and whose deltas claim just that.
struct Resolved {
  std::optional<std::string> value;
  std::size_t distinct = 0;
  std::vector<Seq> from;
};

Status resolve(const Grouped& grouped, const std::vector<std::size_t>& members, ByteView entity,
               ByteView context, const use::Resolver& resolver, Resolved& out) {
  std::vector<std::string> values;
  std::vector<rz_candidate> candidates;
  values.reserve(members.size());
  for (const std::size_t member : members) {
    const DeltaView delta = grouped.deltas[member];
    values.push_back(value_of(delta, entity, context));
    rz_candidate candidate{};
    candidate.value = to_abi(values.back());
    candidate.author = to_abi(delta.author());
    candidate.timestamp = delta.timestamp();
    std::memcpy(candidate.id, delta.raw()->id, sizeof candidate.id);
    candidate.signature_state = static_cast<std::uint8_t>(delta.signature_state());
    candidates.push_back(candidate);
  }
  auto value = resolver.resolve(candidates);
  if (!value.ok()) return value.status();
  out.value = std::move(*value);
  if (!out.value) return {};
  for (std::size_t i = 0; i < members.size(); ++i)
    if (values[i] == *out.value) out.from.push_back(grouped.seqs[members[i]]);
  if (out.from.empty())
    for (const std::size_t member : members) out.from.push_back(grouped.seqs[member]);
  // How many different values the deltas claim: the resolver may have shown one of many.
  std::sort(values.begin(), values.end());
  out.distinct =
      static_cast<std::size_t>(std::unique(values.begin(), values.end()) - values.begin());
  return {};
}

}  // namespace

Result<std::string> lossless_view(const Journal& journal, ByteView entity, Beside* beside) {
  Grouped grouped;
  RZ_TRY(group(journal, entity, beside, grouped));
  std::string out = "{\"entity\":";
  append_json_string(entity, out);
  out += ",\"properties\":{";
  bool first = true;
  for (const auto& [context, members] : grouped.by_context) {
    if (!first) out.push_back(',');
    first = false;
    append_json_string(context, out);
    out += ":[";
    for (std::size_t m = 0; m < members.size(); ++m) {
      const DeltaView delta = grouped.deltas[members[m]];
      const Seq seq = grouped.seqs[members[m]];
      if (m != 0) out.push_back(',');
      out += "{\"delta\":";
      delta_to_json(delta, out);
      out += ",\"seq\":" + std::to_string(seq);
      out += ",\"signature\":\"" + std::string(signature_name(delta.signature_state())) + "\"";
      RZ_TRY(add_beside(beside, {&seq, 1}, out));
      out.push_back('}');
    }
    out.push_back(']');
  }
  return out + "}}";
}

Result<std::string> entity_view(const Journal& journal, ByteView entity,
                                const use::Resolver& resolver, Beside* beside) {
  Grouped grouped;
  RZ_TRY(group(journal, entity, beside, grouped));
  std::string out = "{\"entity\":";
  append_json_string(entity, out);
  out += ",\"properties\":{";
  bool first = true;
  for (const auto& [context, members] : grouped.by_context) {
    Resolved resolved;
    RZ_TRY(resolve(grouped, members, entity, context, resolver, resolved));
    if (!resolved.value) continue;
    if (!first) out.push_back(',');
    first = false;
    append_json_string(context, out);
    out += ":{\"value\":" + *resolved.value;
    RZ_TRY(add_beside(beside, resolved.from, out));
    out += ",\"values\":" + std::to_string(resolved.distinct) + "}";
  }
  return out + "}}";
}

}  // namespace rhizome
