// Reading the config. The host checked it against the manifest's schema; a caller that did not (the
// conformance suite, a test) is told the same.
#include "options.hpp"

#include <nlohmann/json.hpp>

namespace rhizome::leveldb_store {

namespace {

Status take(const nlohmann::json& config, const char* key, std::uint64_t least, std::uint64_t most,
            std::uint64_t* value) {
  const auto found = config.find(key);
  if (found == config.end()) return {};
  if (!found->is_number_unsigned() || found->get<std::uint64_t>() < least ||
      found->get<std::uint64_t>() > most)
    return {Code::kInvalid, std::string("leveldb config: ") + key +
                                ": expected a whole number from " + std::to_string(least) + " to " +
                                std::to_string(most) + ", found " + found->dump()};
  *value = found->get<std::uint64_t>();
  return {};
}

Status take(const nlohmann::json& config, const char* key, bool* value) {
  const auto found = config.find(key);
  if (found == config.end()) return {};
  if (!found->is_boolean())
    return {Code::kInvalid, std::string("leveldb config: ") + key +
                                ": expected true or false, found " + found->dump()};
  *value = found->get<bool>();
  return {};
}

}  // namespace

Result<Options> parse_options(ByteView json) {
  Options options;
  if (json.empty()) return options;
  const auto config = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!config.is_object()) return Status(Code::kInvalid, "leveldb config: expected a JSON object");
  RZ_TRY(take(config, "write_buffer_mib", 1, 1024, &options.write_buffer_mib));
  RZ_TRY(take(config, "block_cache_mib", 1, 65536, &options.block_cache_mib));
  RZ_TRY(take(config, "bloom_bits_per_key", 0, 64, &options.bloom_bits_per_key));
  RZ_TRY(take(config, "max_open_files", 64, 65536, &options.max_open_files));
  RZ_TRY(take(config, "ballast_mib", 0, 1024, &options.ballast_mib));
  RZ_TRY(take(config, "compression", &options.compression));
  RZ_TRY(take(config, "salvage", &options.salvage));
  return options;
}

}  // namespace rhizome::leveldb_store
