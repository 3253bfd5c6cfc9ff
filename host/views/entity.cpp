// Both views from the entity's deltas: gate transactions, apply negations, group by context; then
// the resolver, all properties in one call.
#include "views/entity.hpp"

#include <algorithm>

#include "views/resolve.hpp"
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

Status group(const Journal& journal, ByteView entity, Visibility& visibility, Annotator* annotator,
             Grouped& out) {
  RZ_TRY(journal.by_entity(entity, std::nullopt, out.seqs));
  if (out.seqs.empty())
    return {Code::kNotFound,
            "no delta points at the entity '" + std::string(entity.substr(0, 200)) + "'"};
  if (out.seqs.size() > kMaxDeltas)
    return {Code::kLimit, "the entity '" + std::string(entity.substr(0, 200)) + "' has " +
                              std::to_string(out.seqs.size()) +
                              " deltas; a view takes at most 262144: query them with --context"};
  RZ_TRY(journal.read(out.seqs, out.deltas));
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

// The places of the candidates that decided a property's value: of its own and of those of other
// properties on which it rests.
void add_decided(const use::Decided& decided, const Property& property,
                 std::vector<DeltaPlace>& out) {
  for (std::size_t i = 0; i < property.candidates.size(); ++i)
    if (decided.has(i)) out.push_back(property.candidates[i].place);
}

std::vector<DeltaPlace> decided_by(const use::Resolution& resolution,
                                   const std::vector<Property>& properties, std::size_t index) {
  std::vector<DeltaPlace> places;
  add_decided(resolution.decided, properties[index], places);
  for (const auto& [other, decided] : resolution.rests_on)
    add_decided(decided, properties[other], places);
  // A resolver that names none leaves it open: any of them may have decided.
  if (places.empty())
    for (const Candidate& candidate : properties[index].candidates)
      places.push_back(candidate.place);
  std::sort(places.begin(), places.end(),
            [](const DeltaPlace& a, const DeltaPlace& b) { return a.id < b.id; });
  places.erase(std::unique(places.begin(), places.end(),
                           [](const DeltaPlace& a, const DeltaPlace& b) { return a.id == b.id; }),
               places.end());
  return places;
}

// What the resolver made of properties[index], whose candidates stay where they are: other
// properties may rest on them.
Status conclude(const use::Resolution& resolution, Annotator* annotator,
                std::vector<Property>& properties, std::size_t index) {
  Property& property = properties[index];
  Result<Value> value = value_from_json(*resolution.json);
  if (!value.ok())
    return std::move(value).status().with_context("property '" + property.name + "'");
  property.value = std::move(*value);
  property.decided_by = decided_by(resolution, properties, index);
  std::vector<Seq> seqs;
  for (const DeltaPlace& place : property.decided_by) seqs.push_back(place.seq);
  const auto annotation = annotate(annotator, seqs);
  if (!annotation.ok()) return annotation.status();
  property.annotation = *annotation;
  property.different_values = count_different(property.candidates);
  for (std::size_t i = 0; i < property.candidates.size(); ++i)
    property.candidates[i].decided = resolution.decided.has(i);
  return {};
}

}  // namespace

Result<EntityView> entity_view(const Journal& journal, ByteView entity,
                               const use::Resolver& resolver, const ViewOptions& options) {
  Grouped grouped;
  Visibility visibility(journal);
  RZ_TRY(group(journal, entity, visibility, options.annotator, grouped));
  std::vector<Property> properties;
  properties.reserve(grouped.by_context.size());
  ResolverInput input(resolver, visibility, options.annotator);
  for (const auto& [context, members] : grouped.by_context) {
    Property& property = properties.emplace_back();
    property.name = context;
    property.candidates = candidates_of(grouped, members, entity, context);
    std::vector<DeltaView> deltas;
    for (const std::size_t member : members) deltas.push_back(grouped.deltas[member]);
    RZ_TRY(input.add(entity, property, deltas));
  }
  const Result<std::vector<use::Resolution>> resolutions = input.resolve();
  if (!resolutions.ok()) return resolutions.status();
  EntityView view;
  view.entity = std::string(entity);
  for (std::size_t i = 0; i < properties.size(); ++i)
    if ((*resolutions)[i].json)
      RZ_TRY(conclude((*resolutions)[i], options.annotator, properties, i));
  for (std::size_t i = 0; i < properties.size(); ++i) {
    if (!(*resolutions)[i].json) continue;
    if (!options.candidates) properties[i].candidates.clear();
    view.properties.push_back(std::move(properties[i]));
  }
  return view;
}

Result<LosslessView> lossless_view(const Journal& journal, ByteView entity, Annotator* annotator) {
  Grouped grouped;
  Visibility visibility(journal);
  RZ_TRY(group(journal, entity, visibility, annotator, grouped));
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
