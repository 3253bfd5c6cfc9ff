// libFuzzer: JSON from users. Whatever is accepted reads back as the same delta.
#include <cstdlib>

#include "rhizome/delta/json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rhizome;
  std::string claims;
  (void)claims_from_json(view(data, size), "fuzz", claims).ok();
  DeltaBatch batch;
  if (!delta_from_json(view(data, size), batch).ok()) return 0;
  std::string json;
  delta_to_json(batch[0], json);
  DeltaBatch again;
  if (!delta_from_json(json, again).ok() || again[0].id() != batch[0].id()) std::abort();
  return 0;
}
