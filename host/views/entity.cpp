// Both views from the entity's deltas: gate transactions, apply negations, group by context; then
// the resolver, property by property.
#include "views/entity.hpp"

#include <algorithm>

#include "views/visible.hpp"

namespace rhizome {

namespace {

// A view is made in memory.
constexpr std::size_t kMaxDeltas = 262144;

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

struct Grouped {
  DeltaBatch deltas;
  std::vector<Seq> seqs;
  std::map<std::string, std::vector<std::size_t>> by_context;
};

Status group(const Journal& journal, ByteView entity, Annotator* annotator, Grouped& out) {
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
    if (annotator != nullptr) {
      const Result<bool> counts = annotator->counts(out.seqs[i]);
      if (!counts.ok()) return counts.status();
      if (!*counts) continue;
    }
    for (const ByteView context : contexts_of(out.deltas[i], entity))
      out.by_context[std::string(context)].push_back(i);
  }
  return {};
}

Result<std::optional<Annotation>> annotate(Annotator* annotator, std::span<const Seq> seqs) {
  if (annotator == nullptr) return std::optional<Annotation>();
  const Result<Annotation> made = annotator->annotate(seqs);
  if (!made.ok()) return made.status();
  return std::optional<Annotation>(*made);
}

std::vector<Candidate> candidates_of(const Grouped& grouped,
                                     const std::vector<std::size_t>& members, ByteView entity,
                                     ByteView context) {
  std::vector<Candidate> candidates;
  candidates.reserve(members.size());
  for (const std::size_t member : members) {
    const DeltaView delta = grouped.deltas[member];
    Candidate& candidate = candidates.emplace_back();
    candidate.place = {grouped.seqs[member], DeltaId::from_raw(delta.id())};
    candidate.value = value_of(delta, entity, context);
    candidate.author = std::string(delta.author());
    candidate.timestamp = delta.timestamp();
    candidate.signature_state = delta.signature_state();
  }
  return candidates;
}

std::size_t count_different(const std::vector<Candidate>& candidates) {
  std::vector<ByteView> values;
  values.reserve(candidates.size());
  for (const Candidate& candidate : candidates) values.push_back(candidate.value.json);
  std::sort(values.begin(), values.end());
  return static_cast<std::size_t>(std::unique(values.begin(), values.end()) - values.begin());
}

Result<std::optional<std::string>> ask(const use::Resolver& resolver,
                                       const std::vector<Candidate>& candidates) {
  std::vector<rz_candidate> asked;
  asked.reserve(candidates.size());
  for (const Candidate& candidate : candidates) {
    rz_candidate& one = asked.emplace_back();
    one.value = to_abi(candidate.value.json);
    one.author = to_abi(candidate.author);
    one.timestamp = candidate.timestamp;
    std::memcpy(one.id, candidate.place.id.bytes.data(), sizeof one.id);
    one.signature_state = static_cast<std::uint8_t>(candidate.signature_state);
  }
  return resolver.resolve(asked);
}

// Until resolvers say which candidates decided: those that claim the value, or all of them where
// none does.
void mark_decided(const Value& value, std::vector<Candidate>& candidates) {
  bool any = false;
  for (Candidate& candidate : candidates) {
    candidate.decided = candidate.value.json == value.json;
    any = any || candidate.decided;
  }
  if (any) return;
  for (Candidate& candidate : candidates) candidate.decided = true;
}

// False where the property has no value.
Result<bool> resolve(const use::Resolver& resolver, const ViewOptions& options,
                     std::vector<Candidate> candidates, Property& out) {
  const Result<std::optional<std::string>> answer = ask(resolver, candidates);
  if (!answer.ok()) return answer.status();
  if (!*answer) return false;
  Result<Value> value = value_from_json(**answer);
  if (!value.ok()) return std::move(value).status().with_context("property '" + out.name + "'");
  out.value = std::move(*value);
  mark_decided(out.value, candidates);
  std::vector<Seq> seqs;
  for (const Candidate& candidate : candidates) {
    if (!candidate.decided) continue;
    out.decided_by.push_back(candidate.place);
    seqs.push_back(candidate.place.seq);
  }
  std::sort(out.decided_by.begin(), out.decided_by.end(),
            [](const DeltaPlace& a, const DeltaPlace& b) { return a.id < b.id; });
  const auto annotation = annotate(options.annotator, seqs);
  if (!annotation.ok()) return annotation.status();
  out.annotation = *annotation;
  out.different_values = count_different(candidates);
  if (options.candidates) out.candidates = std::move(candidates);
  return true;
}

}  // namespace

Result<EntityView> entity_view(const Journal& journal, ByteView entity,
                               const use::Resolver& resolver, const ViewOptions& options) {
  Grouped grouped;
  RZ_TRY(group(journal, entity, options.annotator, grouped));
  EntityView view;
  view.entity = std::string(entity);
  for (const auto& [context, members] : grouped.by_context) {
    Property property;
    property.name = context;
    const Result<bool> has_value =
        resolve(resolver, options, candidates_of(grouped, members, entity, context), property);
    if (!has_value.ok()) return has_value.status();
    if (*has_value) view.properties.push_back(std::move(property));
  }
  return view;
}

Result<LosslessView> lossless_view(const Journal& journal, ByteView entity, Annotator* annotator) {
  Grouped grouped;
  RZ_TRY(group(journal, entity, annotator, grouped));
  LosslessView view;
  view.entity = std::string(entity);
  for (const auto& [context, members] : grouped.by_context) {
    auto& rows = view.properties[context];
    rows.reserve(members.size());
    for (const std::size_t member : members) {
      const auto annotation = annotate(annotator, {&grouped.seqs[member], 1});
      if (!annotation.ok()) return annotation.status();
      rows.push_back({member, grouped.seqs[member], *annotation});
    }
  }
  view.deltas = std::move(grouped.deltas);
  return view;
}

}  // namespace rhizome
