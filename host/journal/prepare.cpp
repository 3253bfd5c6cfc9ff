// Laying out an append's entries.
#include "journal/prepare.hpp"

namespace rhizome {

namespace {

constexpr std::size_t kRecordKey = 1 + keys::kSeqSize;
constexpr std::size_t kIdKey = 1 + keys::kIdSize;
// A guess at what the keys of one delta take.
constexpr std::size_t kKeysOfDelta = 128;

bool has_signature(DeltaView delta) {
  static constexpr Signature kNone{};
  return delta.signature() != view(kNone.data(), kNone.size());
}

}  // namespace

Prepared::Prepared(const std::vector<DeltaView>& deltas, const keys::IndexHash& hash) {
  std::size_t bytes = 0, pointers = 0;
  for (const DeltaView delta : deltas) {
    bytes += delta.claims().size() + RZ_DELTA_SIGNATURE_SIZE + kKeysOfDelta;
    pointers += delta.size();
  }
  bytes_.reserve(bytes);
  parts_.reserve(deltas.size());
  keys_.reserve(deltas.size() + pointers);
  for (const DeltaView delta : deltas) add(delta, hash);
}

void Prepared::add(DeltaView delta, const keys::IndexHash& hash) {
  Part part{};
  part.record = bytes_.size();
  part.first_key = keys_.size();
  part.is_signed = has_signature(delta);
  part.state = static_cast<std::uint8_t>(delta.signature_state());
  part.check = values::check_of(delta.id());
  bytes_.append(keys::record(0));
  bytes_.append(values::kMaxRecordHeader, '\0');
  if (part.is_signed) bytes_.append(delta.signature());
  bytes_.append(delta.claims());
  part.body_size = bytes_.size() - part.record - kRecordKey - values::kMaxRecordHeader;
  parts_.push_back(part);

  keys_.push_back({bytes_.size(), kIdKey});
  bytes_.append(keys::id(delta.id())).append(keys::kSeqSize, '\0');
  bytes_.push_back(static_cast<char>(part.state));
  for (std::size_t i = 0; i < delta.size(); ++i) {
    const PointerView p = delta[i];
    switch (p.kind()) {
      case RZ_TARGET_ENTITY:
        add_key(hash.entity(p.target(), p.context()));
        break;
      case RZ_TARGET_DELTA:
        if (p.role() == "negates") add_key(hash.negation(p.target()));
        if (p.role() == kMemberRole) add_key(hash.member(p.target()));
        break;
      default:
        break;
    }
  }
}

void Prepared::add_key(const keys::Key& key) {
  const ByteView prefix = key;
  keys_.push_back({bytes_.size(), prefix.size() + keys::kSeqSize});
  bytes_.append(prefix).append(keys::kSeqSize, '\0');
}

void Prepared::finish(std::size_t i, Seq seq, const values::RecordValue& header,
                      std::vector<rz_store_op>& ops) {
  const Part& part = parts_[i];
  const auto put = [&](const char* key, std::size_t key_size, const char* value,
                       std::size_t value_size) {
    ops.push_back({RZ_STORE_PUT, 0, {key, key_size}, {value, value_size}});
  };
  values::RecordValue record = header;
  record.signature_state = part.state;
  record.check = part.check;
  record.signature = part.is_signed ? ByteView("signed") : ByteView();
  char* key = bytes_.data() + part.record;
  keys::write_number(seq, keys::kSeqSize, key + 1);
  // The header ends where the body begins.
  char encoded[values::kMaxRecordHeader];
  const std::size_t header_size = values::encode_record_header(record, encoded);
  char* body = key + kRecordKey + values::kMaxRecordHeader;
  std::memcpy(body - header_size, encoded, header_size);
  put(key, kRecordKey, body - header_size, header_size + part.body_size);

  const KeyPart& id = keys_[part.first_key];
  char* held = bytes_.data() + id.at + id.size;
  keys::write_number(seq, keys::kSeqSize, held);
  put(bytes_.data() + id.at, id.size, held, keys::kSeqSize + 1);
  const std::size_t end = i + 1 < parts_.size() ? parts_[i + 1].first_key : keys_.size();
  for (std::size_t k = part.first_key + 1; k < end; ++k) {
    char* index = bytes_.data() + keys_[k].at;
    keys::write_number(seq, keys::kSeqSize, index + keys_[k].size - keys::kSeqSize);
    put(index, keys_[k].size, index, 0);
  }
}

}  // namespace rhizome
