// libFuzzer: foreign files. The first byte chooses the format; whatever the rest is, the import
// comes to its end and every item is valid claims.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>

#include "importer/importer.hpp"
#include "rhizome/delta/json.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace rhizome;
  using namespace rhizome::importer;
  static const Mapping kMap = *Mapping::parse(R"(
source: {records: /a, timestamp: "1"}
entity: {id: "x:{id|default:none}"}
properties:
  - {property: v, value: "{v|before:-}{w|trim|replace:a:bb}"}
  - {property: n, value: "{n}"}
  - {property: l, each: l, entity: "{each}"}
)",
                                              "fuzz");
  if (size == 0) return 0;
  const int file = memfd_create("fuzz", 0);
  if (file < 0 || write(file, data + 1, size - 1) != static_cast<ssize_t>(size - 1)) std::abort();
  const std::string path = "/proc/self/fd/" + std::to_string(file);
  Mapping map = kMap;
  map.format = data[0] % 4 == 0   ? Format::kCsv
               : data[0] % 4 == 1 ? Format::kJsonLines
                                  : Format::kJson;
  if (data[0] % 4 == 3) map.records.clear();
  Result<std::unique_ptr<RecordSource>> source =
      data[0] == 255 ? open_deltas(path, {}) : open_mapped(path, std::move(map), {});
  if (!source) std::abort();
  for (ImportItem item;;) {
    const Result<bool> more = (*source)->next(item);
    if (!more || !*more) break;
    std::string claims;
    if (data[0] != 255 && !claims_from_json(item.json, "fuzz", claims).ok()) std::abort();
  }
  close(file);
  return 0;
}
