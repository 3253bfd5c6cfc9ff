// Written by hand and in one pass: a view may have hundreds of thousands of deltas, so no tree of
// JSON nodes is built for it.
#include "views/entity_json.hpp"

#include <cstdio>

#include "rhizome/delta/json.hpp"

namespace rhizome {

namespace {

std::string number_text(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.6g", value);
  return text;
}

void append_annotation(const std::optional<Annotation>& annotation, std::string& out) {
  if (!annotation) return;
  out.push_back(',');
  append_members(*annotation, out);
}

void append_candidate(const Candidate& candidate, std::string& out) {
  out += "{\"value\":" + candidate.value.json + ",\"kind\":\"" +
         value_kind_name(candidate.value.kind) + "\",\"delta\":\"" + candidate.place.id.hex() +
         "\",\"seq\":" + std::to_string(candidate.place.seq) + ",\"author\":";
  append_json_string(candidate.author, out);
  out += ",\"signature\":\"" + std::string(signature_name(candidate.signature_state)) +
         "\",\"decided\":" + (candidate.decided ? "true" : "false") + "}";
}

void append_property(const Property& property, std::string& out) {
  out += "{\"value\":" + property.value.json + ",\"kind\":\"" +
         value_kind_name(property.value.kind) + "\"";
  append_annotation(property.annotation, out);
  out += ",\"values\":" + std::to_string(property.different_values) + ",\"decided_by\":[";
  for (std::size_t i = 0; i < property.decided_by.size(); ++i)
    out += (i == 0 ? "\"" : ",\"") + property.decided_by[i].id.hex() + "\"";
  out.push_back(']');
  if (!property.candidates.empty()) {
    out += ",\"candidates\":[";
    for (std::size_t i = 0; i < property.candidates.size(); ++i) {
      if (i != 0) out.push_back(',');
      append_candidate(property.candidates[i], out);
    }
    out.push_back(']');
  }
  out.push_back('}');
}

std::string begin_view(ByteView entity) {
  std::string out = "{\"entity\":";
  append_json_string(entity, out);
  return out + ",\"properties\":{";
}

}  // namespace

const char* signature_name(std::uint32_t signature_state) {
  switch (signature_state) {
    case RZ_SIGNATURE_VERIFIED:
      return "verified";
    case RZ_SIGNATURE_VOUCHED:
      return "vouched";
    default:
      return "unsigned";
  }
}

void append_members(const Annotation& annotation, std::string& out) {
  out += std::string("\"provisional\":") + (annotation.provisional ? "true" : "false") +
         ",\"extent\":{\"held\":" + std::to_string(annotation.held) +
         ",\"voters\":" + std::to_string(annotation.voters) +
         "},\"confidence\":{\"durability\":" + number_text(annotation.durability) +
         ",\"belief\":" + number_text(annotation.belief) + "}";
}

std::string to_json(const EntityView& view) {
  std::string out = begin_view(view.entity);
  for (std::size_t i = 0; i < view.properties.size(); ++i) {
    if (i != 0) out.push_back(',');
    append_json_string(view.properties[i].name, out);
    out.push_back(':');
    append_property(view.properties[i], out);
  }
  return out + "}}";
}

std::string to_json(const LosslessView& view) {
  std::string out = begin_view(view.entity);
  bool first = true;
  for (const auto& [name, rows] : view.properties) {
    if (!first) out.push_back(',');
    first = false;
    append_json_string(name, out);
    out += ":[";
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const DeltaView delta = view.deltas[rows[i].index];
      out += i == 0 ? "{\"delta\":" : ",{\"delta\":";
      delta_to_json(delta, out);
      out += ",\"seq\":" + std::to_string(rows[i].seq) + ",\"signature\":\"" +
             signature_name(delta.signature_state()) + "\"";
      append_annotation(rows[i].annotation, out);
      out.push_back('}');
    }
    out.push_back(']');
  }
  return out + "}}";
}

}  // namespace rhizome
