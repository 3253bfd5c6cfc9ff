// The tools over the delta library. nlohmann reads only the envelopes ({"cbor"},
// {"claims","id","sig"}).
#include "tools/delta_tools.hpp"

#include <istream>
#include <ostream>

#include "json/bounded.hpp"
#include "rhizome/delta/digest.hpp"
#include "rhizome/delta/json.hpp"
#include "tools/json_lines.hpp"

namespace rhizome::tools {

namespace {

using nlohmann::json;

constexpr JsonBounds kLine{kMaxLine, kJsonMaxDepth + 8, 1u << 21};

std::string error_line(const Status& status) {
  std::string out =
      "{\"error\":{\"code\":\"" + std::string(code_name(status.code())) + "\",\"message\":";
  append_json_string(status.message(), out);
  return out + "}}";
}

// Runs `make` on each line; a Status becomes an error line.
int each_line(std::istream& in, std::ostream& out,
              const std::function<Result<std::string>(const std::string&)>& make) {
  const bool good = filter_lines(in, out, [&](const std::string& line, bool too_long) -> LineOut {
    if (too_long) return {error_line({Code::kLimit, "line: over 8 MiB"}), true};
    const Result<std::string> made = make(line);
    return made.ok() ? LineOut{*made, false} : LineOut{error_line(made.status()), true};
  });
  return good ? 0 : 1;
}

std::string written(DeltaView delta) {
  std::string out;
  delta_to_json(delta, out);
  return out;
}

// The id that the claims of a refused line have, where they can be read: with it, whoever asked
// finds them again.
json own_id(const std::string& line) {
  const Result<json> value = parse_json(line, kLine);
  if (!value.ok() || !value->is_object() || !value->contains("claims")) return nullptr;
  std::string claims;
  const std::string text = (*value)["claims"].dump(-1, ' ', false, json::error_handler_t::replace);
  return claims_from_json(text, {}, claims).ok() ? json(DeltaId::of_claims(claims).hex())
                                                 : json(nullptr);
}

}  // namespace

int delta_encode(std::istream& in, std::ostream& out) {
  return each_line(in, out, [](const std::string& line) -> Result<std::string> {
    std::string claims;
    RZ_TRY(claims_from_json(line, {}, claims));
    return "{\"id\":\"" + DeltaId::of_claims(claims).hex() + "\",\"cbor\":\"" + to_hex(claims) +
           "\"}";
  });
}

int delta_decode(std::istream& in, std::ostream& out) {
  return each_line(in, out, [](const std::string& line) -> Result<std::string> {
    const Result<json> parsed = parse_json(line, kLine);
    const json value = parsed.ok() ? *parsed : json();
    std::string claims;
    if (!value.is_object() || !value.contains("cbor") || !value["cbor"].is_string() ||
        !from_hex(value["cbor"].get_ref<const std::string&>(), &claims))
      return Status(Code::kInvalid, "expected {\"cbor\": lower-case hex}");
    DeltaBatch batch;
    const DecodeError error = decode_claims(claims, batch);
    if (error != DecodeError::kNone)
      return Status(Code::kInvalid, "cbor: " + std::string(decode_error_name(error)));
    return written(batch[0]);
  });
}

int delta_sign(const SigningKey& key, std::istream& in, std::ostream& out) {
  return each_line(in, out, [&](const std::string& line) -> Result<std::string> {
    std::string claims;
    RZ_TRY(claims_from_json(line, key.author(), claims));
    const Signature signature = key.sign(DeltaId::of_claims(claims).raw());
    DeltaBatch batch;
    if (decode_claims(claims, view(signature.data(), signature.size()), batch) !=
        DecodeError::kNone)
      return Status(Code::kInternal, "the claims do not decode");
    if (batch[0].author() != key.author())
      return Status(Code::kInvalid, "author: is '" + std::string(batch[0].author()) +
                                        "'; expected none or the key's own, " + key.author());
    return written(batch[0]);
  });
}

int delta_verify(std::istream& in, std::ostream& out) {
  const bool good = filter_lines(in, out, [](const std::string& line, bool too_long) -> LineOut {
    DeltaBatch batch;
    const Status read =
        too_long ? Status(Code::kLimit, "line: over 8 MiB") : delta_from_json(line, batch);
    json answer;
    if (!read.ok()) {
      answer = {{"id", too_long ? json(nullptr) : own_id(line)},
                {"verdict", "invalid"},
                {"reason", read.message()}};
    } else {
      answer["id"] = to_hex(batch[0].id());
      switch (batch[0].signature_state() == RZ_SIGNATURE_UNCHECKED ? check_signature(batch[0])
                                                                   : RZ_SIGNATURE_UNSIGNED) {
        case RZ_SIGNATURE_VERIFIED:
          answer["verdict"] = "verified";
          break;
        case RZ_SIGNATURE_UNSIGNED:
          answer["verdict"] = "unsigned";
          break;
        default:
          answer["verdict"] = "invalid";
          answer["reason"] =
              author_key(batch[0].author())
                  ? "the signature is not its author's (strict criterion, SPEC-1 5.1)"
                  : "the author is no ed25519 key";
      }
    }
    return {answer.dump(-1, ' ', false, json::error_handler_t::replace), !read.ok()};
  });
  return good ? 0 : 1;
}

int delta_digest(std::istream& in, std::ostream& out) {
  std::vector<DeltaId> ids;
  bool good = true;
  std::ostream nowhere(nullptr);
  std::string problem;
  std::size_t number = 0;
  filter_lines(in, nowhere, [&](const std::string& line, bool) -> LineOut {
    ++number;
    DeltaBatch batch;
    if (const Status read = delta_from_json(line, batch); !read.ok()) {
      good = false;
      if (problem.empty()) problem = "line " + std::to_string(number) + ": " + read.message();
    } else {
      ids.push_back(DeltaId::from_raw(batch[0].id()));
    }
    return {};
  });
  const DeltaId digest = set_digest(ids);
  json answer{{"count", ids.size()}, {"digest", digest.hex()}};
  if (!good) answer["error"] = {{"code", "invalid"}, {"message", problem}};
  out << answer.dump() << std::endl;
  return good ? 0 : 1;
}

}  // namespace rhizome::tools
