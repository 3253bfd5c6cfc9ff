// An explanation as the control surface and the command line give it; see match.hpp.
#include <nlohmann/json.hpp>

#include "match/match.hpp"

namespace rhizome {

std::string to_json(const FilterExplanation& explanation) {
  nlohmann::ordered_json json{{"keys", explanation.keys}};
  if (!explanation.scanned_because.empty()) json["scanned_because"] = explanation.scanned_because;
  json["estimated"] = explanation.estimated;
  json["observed"] = explanation.observed;
  json["deltas"] = explanation.deltas;
  json["asked"] = explanation.asked;
  json["hits"] = explanation.hits;
  json["errors"] = explanation.errors;
  json["stopped"] = explanation.stopped;
  json["unanswered"] = explanation.unanswered;
  json["subscriptions"] = explanation.subscriptions;
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace rhizome
