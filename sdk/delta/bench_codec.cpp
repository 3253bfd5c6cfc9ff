// The codec, hash and signatures beside the bare libraries, on one realistic delta: an entity with
// a context, a string value, a signed author; some 230 bytes.
#include <benchmark/benchmark.h>
#include <sodium.h>

#include <nlohmann/json.hpp>

#include "rhizome/delta/digest.hpp"
#include "rhizome/delta/json.hpp"
#include "rhizome/delta/signature.hpp"

namespace rhizome {
namespace {

const SigningKey& key() {
  static const SigningKey made = SigningKey::from_seed({});
  return made;
}

std::vector<Pointer> pointers() {
  return {{"subdivision", EntityRef{"subdivision:DE-BY", "name"}}, {"value", ByteView("Bayern")}};
}

const std::string& claims() {
  static const std::string bytes = [] {
    std::string out;
    (void)encode_claims(key().author(), 1717977600000, pointers(), out).ok();
    return out;
  }();
  return bytes;
}

void encode(benchmark::State& state) {
  const std::vector<Pointer> parts = pointers();
  std::string out;
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(encode_claims(key().author(), 1717977600000, parts, out));
  }
  state.counters["bytes"] = static_cast<double>(out.size());
}
BENCHMARK(encode);

void nlohmann_to_cbor(benchmark::State& state) {
  std::string text;
  DeltaBatch batch;
  (void)decode_claims(claims(), batch);
  claims_to_json(batch[0], text);
  const auto tree = nlohmann::json::parse(text);
  for (auto _ : state) benchmark::DoNotOptimize(nlohmann::json::to_cbor(tree));
}
BENCHMARK(nlohmann_to_cbor);

void decode_into_flat_view_with_id(benchmark::State& state) {
  DeltaBatch batch;
  for (auto _ : state) {
    batch.clear();
    benchmark::DoNotOptimize(decode_claims(claims(), batch));
  }
}
BENCHMARK(decode_into_flat_view_with_id);

void nlohmann_from_cbor(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(nlohmann::json::from_cbor(claims()));
}
BENCHMARK(nlohmann_from_cbor);

void hash_of_claims(benchmark::State& state) {
  for (auto _ : state) benchmark::DoNotOptimize(blake3(claims()));
}
BENCHMARK(hash_of_claims);

void blake2b_of_claims(benchmark::State& state) {
  unsigned char out[32];
  for (auto _ : state) {
    crypto_generichash(out, sizeof out, as_u8(claims()), claims().size(), nullptr, 0);
    benchmark::DoNotOptimize(out);
  }
}
BENCHMARK(blake2b_of_claims);

void sign(benchmark::State& state) {
  const DeltaId id = DeltaId::of_claims(claims());
  for (auto _ : state) benchmark::DoNotOptimize(key().sign(id.raw()));
}
BENCHMARK(sign);

void verify(benchmark::State& state) {
  const DeltaId id = DeltaId::of_claims(claims());
  const Signature signature = key().sign(id.raw());
  const ByteView bytes = view(signature.data(), signature.size());
  for (auto _ : state) benchmark::DoNotOptimize(verify_strict(key().public_key(), id.raw(), bytes));
}
BENCHMARK(verify);

void libsodium_verify(benchmark::State& state) {
  const DeltaId id = DeltaId::of_claims(claims());
  const Signature signature = key().sign(id.raw());
  for (auto _ : state)
    benchmark::DoNotOptimize(crypto_sign_verify_detached(
        signature.data(), as_u8(id.raw()), RZ_DELTA_ID_SIZE, key().public_key().data()));
}
BENCHMARK(libsodium_verify);

void digest_insert(benchmark::State& state) {
  LtHash digest;
  const DeltaId id = DeltaId::of_claims(claims());
  for (auto _ : state) digest.add(id);
  benchmark::DoNotOptimize(digest);
}
BENCHMARK(digest_insert);

void json_profile_read(benchmark::State& state) {
  std::string text, out;
  DeltaBatch batch;
  (void)decode_claims(claims(), batch);
  claims_to_json(batch[0], text);
  for (auto _ : state) {
    out.clear();
    benchmark::DoNotOptimize(claims_from_json(text, {}, out));
  }
}
BENCHMARK(json_profile_read);

}  // namespace
}  // namespace rhizome

BENCHMARK_MAIN();
