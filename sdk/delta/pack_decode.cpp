// Packs, read: a first pass checks the whole structure and finds the string table, a second one
// rebuilds each delta. Hostile bytes: nothing recurses, memory is bounded before it is taken.
// The writer is pack_encode.cpp. Any thread.
#include <cmath>

#include "cbor_reader.hpp"
#include "pack_format.hpp"
#include "rhizome/delta/pack.hpp"

namespace rhizome {

namespace {

// One record as it stands: places in the string table, not yet looked up.
struct RawPointer {
  std::uint32_t kind = 0;
  std::uint32_t role = 0, target = 0, context = 0;
  bool has_context = false;
  double number = 0;
  ByteView bytes;
};
struct RawRecord {
  bool has_author = false, is_signed = false;
  std::uint32_t author = 0, id = 0, envelope = 0, signature = 0;
  double time = 0;  // of a member: the difference
  std::vector<RawPointer> pointers;
};

class RecordReader : public CborReader {
 public:
  explicit RecordReader(ByteView bytes) : CborReader(bytes, kPackMaxBytes) {}

  // A whole number in a float, as every index in a pack is.
  std::uint32_t index() {
    const double value = number();
    if (!ok()) return 0;
    if (value < 0 || value > 4294967295.0 || value != std::floor(value)) {
      fail(DecodeError::kWrongType);
      return 0;
    }
    return static_cast<std::uint32_t>(value);
  }

  // {"a","i","p","s"?,"t"}, or a member's {"a"?,"i","m","p","s"?,"dt"?}
  void record(bool member, RawRecord& r) {
    const std::uint32_t entries = head(5);
    std::uint32_t taken = 3;
    r.has_author = take_key("a");
    if (r.has_author) {
      r.author = index();
      ++taken;
    } else if (!member) {
      fail(DecodeError::kMissingKey);
    }
    key("i");
    if (ok()) r.id = index();
    if (member) {
      key("m");
      if (ok()) r.envelope = index();
    }
    key("p");
    if (ok()) pointers(r.pointers);
    r.is_signed = ok() && take_key("s");
    if (r.is_signed) {
      r.signature = index();
      ++taken;
    }
    r.time = 0;
    if (!member) {
      key("t");
      if (ok()) r.time = number();
    } else if (ok() && take_key("dt")) {
      r.time = number();
      if (r.time == 0) fail(DecodeError::kNotCanonical);
      ++taken;
    }
    if (taken != entries) fail(DecodeError::kUnknownKey);
  }

 private:
  void pointers(std::vector<RawPointer>& out) {
    out.clear();
    const std::uint32_t count = head(4);
    if (count == 0) fail(DecodeError::kEmpty);
    if (count > RZ_DELTA_MAX_POINTERS) fail(DecodeError::kTooLarge);
    for (std::uint32_t i = 0; i < count && ok(); ++i) pointer(out.emplace_back());
  }

  void target(RawPointer& p, std::uint32_t kind) {
    if (p.kind != 0) return fail(DecodeError::kUnknownKey);
    p.kind = kind;
  }

  // {"r", one of "b" "d" "e" "n" "s" or both of "m" "y", "c"? beside "d" and "e"}
  void pointer(RawPointer& p) {
    const std::uint32_t entries = head(5);
    std::uint32_t taken = 2;
    if (ok() && take_key("b")) {
      target(p, RZ_TARGET_BOOLEAN);
      p.number = boolean() ? 1 : 0;
    }
    if (ok() && take_key("c")) {
      p.has_context = true;
      p.context = index();
      ++taken;
    }
    if (ok() && take_key("d")) {
      target(p, RZ_TARGET_DELTA);
      p.target = index();
    }
    if (ok() && take_key("e")) {
      target(p, RZ_TARGET_ENTITY);
      p.target = index();
    }
    if (ok() && take_key("m")) {
      target(p, RZ_TARGET_BYTES);
      p.context = index();
      ++taken;
    }
    if (ok() && take_key("n")) {
      target(p, RZ_TARGET_NUMBER);
      p.number = number();
    }
    key("r");
    if (ok()) p.role = index();
    if (ok() && take_key("s")) {
      target(p, RZ_TARGET_STRING);
      p.target = index();
    }
    if (p.kind == RZ_TARGET_BYTES) {
      key("y");
      if (ok()) p.bytes = string(2);
    }
    if (p.kind == 0) fail(DecodeError::kMissingKey);
    if (p.has_context && p.kind != RZ_TARGET_DELTA && p.kind != RZ_TARGET_ENTITY)
      fail(DecodeError::kUnknownKey);
    if (taken != entries) fail(DecodeError::kUnknownKey);
  }
};

Status bad(const std::string& what) { return {Code::kInvalid, "pack: " + what}; }

class Unpacker {
 public:
  Unpacker(ByteView pack, DeltaBatch& out)
      : pack_(pack), out_(out), first_(out.size()), used_before_(out.memory_bytes()) {}

  Status run() {
    RZ_TRY(scan());
    RZ_TRY(rebuild(envelopes_, false));
    envelope_count_ = envelopes_.count;
    RZ_TRY(rebuild(members_, true));
    RZ_TRY(rebuild(loose_, false));
    return is_canonical();
  }

 private:
  struct Section {
    const char* name;
    std::size_t begin = 0;  // of its first record
    std::uint32_t count = 0;
  };

  static std::string where(const Section& section, std::size_t i) {
    return std::string(section.name) + "[" + std::to_string(i) + "]";
  }

  static Status syntax(const CborReader& reader, const std::string& what) {
    const std::string message = "pack: " + what + ": " +
                                std::string(decode_error_name(reader.error())) + " before byte " +
                                std::to_string(reader.position());
    return {reader.error() == DecodeError::kTooLarge ? Code::kLimit : Code::kInvalid, message};
  }

  // The first pass: everything is where it belongs.
  Status scan() {
    RecordReader reader(pack_);
    if (reader.head(5) != 5) reader.fail(DecodeError::kMissingKey);
    reader.key("loose");
    RZ_TRY(scan_section(reader, false, loose_));
    reader.key("members");
    RZ_TRY(scan_section(reader, true, members_));
    reader.key("strings");
    RZ_TRY(scan_strings(reader));
    reader.key("version");
    const double version = reader.ok() ? reader.number() : 0;
    if (reader.ok() && version != pack::kVersion)
      return {Code::kUnsupported, "pack: version " + std::to_string(version) + "; expected 1"};
    reader.key("envelopes");
    RZ_TRY(scan_section(reader, false, envelopes_));
    if (!reader.at_end()) reader.fail(DecodeError::kTrailing);
    return reader.ok() ? Status() : syntax(reader, "end");
  }

  Status scan_section(RecordReader& reader, bool member, Section& section) {
    section.count = reader.ok() ? reader.head(4) : 0;
    section.begin = reader.position();
    total_ += section.count;
    if (total_ > kPackMaxDeltas)
      return {Code::kLimit, "pack: over " + std::to_string(kPackMaxDeltas) + " deltas"};
    for (std::uint32_t i = 0; i < section.count && reader.ok(); ++i) {
      reader.record(member, record_);
      if (!reader.ok()) return syntax(reader, where(section, i));
    }
    return reader.ok() ? Status() : syntax(reader, section.name);
  }

  Status scan_strings(RecordReader& reader) {
    const std::uint32_t count = reader.ok() ? reader.head(4) : 0;
    if (count > pack::kMaxStrings)
      return {Code::kLimit, "pack: " + std::to_string(count) + " strings; at most " +
                                std::to_string(pack::kMaxStrings)};
    for (std::uint32_t i = 0; i < count && reader.ok(); ++i) {
      const ByteView text = reader.string(3);
      if (reader.ok() && !strings_.empty() && text <= strings_.back())
        reader.fail(DecodeError::kNotCanonical);
      if (!reader.ok()) return syntax(reader, "strings[" + std::to_string(i) + "]");
      strings_.push_back(text);
    }
    return reader.ok() ? Status() : syntax(reader, "strings");
  }

  Status rebuild(const Section& section, bool member) {
    RecordReader reader(pack_.substr(section.begin));
    for (std::uint32_t i = 0; i < section.count; ++i) {
      reader.record(member, record_);
      if (Status status = rebuild_record(member); !status.ok())
        return std::move(status).with_context("pack: " + where(section, i));
      if (out_.memory_bytes() - used_before_ > kPackMaxUnpacked)
        return {Code::kLimit,
                "pack: becomes over " + std::to_string(kPackMaxUnpacked >> 20) + " MiB of deltas"};
    }
    return {};
  }

  bool look_up(std::uint32_t index, ByteView& text) const {
    if (index >= strings_.size()) return false;
    text = strings_[index];
    return true;
  }

  Status rebuild_record(bool member) {
    static const Status kNoString(Code::kInvalid, "an index past the string table's end");
    ByteView author, id, signature_hex;
    double time = record_.time;
    if (member) {
      if (record_.envelope >= envelope_count_)
        return {Code::kInvalid, "\"m\" " + std::to_string(record_.envelope) + "; the pack has " +
                                    std::to_string(envelope_count_) + " envelopes"};
      const DeltaView manifest = out_[first_ + record_.envelope];
      time += manifest.timestamp();
      manifest_author_ = manifest.author();  // kept: the batch may move
      author = manifest_author_;
    }
    if (record_.has_author && !look_up(record_.author, author)) return kNoString;
    if (!look_up(record_.id, id)) return kNoString;
    RZ_TRY(look_up_pointers());
    claims_.clear();
    RZ_TRY(encode_claims(author, time, pointers_, claims_));
    signature_.clear();
    if (record_.is_signed && (!look_up(record_.signature, signature_hex) ||
                              signature_hex.size() != 2 * RZ_DELTA_SIGNATURE_SIZE ||
                              !from_hex(signature_hex, &signature_)))
      return {Code::kInvalid, "\"s\": expected the place of 128 lower-case hex digits"};
    const DecodeError error = decode_claims(claims_, signature_, out_);
    if (error != DecodeError::kNone) return {Code::kInvalid, std::string(decode_error_name(error))};
    if (const std::string found = to_hex(out_[out_.size() - 1].id()); found != id)
      return {Code::kInvalid,
              "the claims' id is " + found + "; the pack says " + std::string(id.substr(0, 80))};
    return {};
  }

  Status look_up_pointers() {
    static const Status kNoString(Code::kInvalid, "an index past the string table's end");
    pointers_.clear();
    for (const RawPointer& raw : record_.pointers) {
      ByteView role, target, context;
      if (!look_up(raw.role, role)) return kNoString;
      const bool text = raw.kind == RZ_TARGET_STRING || raw.kind == RZ_TARGET_ENTITY ||
                        raw.kind == RZ_TARGET_DELTA;
      if (text && !look_up(raw.target, target)) return kNoString;
      const bool named = raw.has_context || raw.kind == RZ_TARGET_BYTES;
      if (named && !look_up(raw.context, context)) return kNoString;
      if (named && context.empty()) return {Code::kInvalid, "an empty context or mime"};
      pointers_.push_back({role, target_of(raw, target, context)});
    }
    return {};
  }

  static Target target_of(const RawPointer& raw, ByteView target, ByteView context) {
    switch (raw.kind) {
      case RZ_TARGET_NUMBER:
        return raw.number;
      case RZ_TARGET_BOOLEAN:
        return raw.number != 0;
      case RZ_TARGET_ENTITY:
        return EntityRef{target, context};
      case RZ_TARGET_DELTA:
        return DeltaRef{target, context};
      case RZ_TARGET_BYTES:
        return BytesTarget{context, raw.bytes};
      default:
        return target;
    }
  }

  // Order, sharing, the string table's contents: all that is left is one comparison.
  Status is_canonical() const {
    std::vector<DeltaView> deltas;
    for (std::size_t i = first_; i < out_.size(); ++i) deltas.push_back(out_[i]);
    std::string again;
    RZ_TRY(encode_pack(deltas, again));
    if (again == pack_) return {};
    std::size_t at = 0;
    while (at < again.size() && at < pack_.size() && again[at] == pack_[at]) ++at;
    return bad("not the canonical pack of its deltas: differs at byte " + std::to_string(at) +
               " (records out of order, a string unused, a member kept whole ...)");
  }

  const ByteView pack_;
  DeltaBatch& out_;
  const std::size_t first_, used_before_;
  Section loose_{"loose"}, members_{"members"}, envelopes_{"envelopes"};
  std::size_t total_ = 0;
  std::uint32_t envelope_count_ = 0;
  std::vector<ByteView> strings_;
  RawRecord record_;
  std::vector<Pointer> pointers_;
  std::string claims_, signature_, manifest_author_;
};

}  // namespace

Status decode_pack(ByteView pack, DeltaBatch& out) {
  if (pack.size() > kPackMaxBytes)
    return {Code::kLimit, "pack: " + std::to_string(pack.size()) + " bytes; at most " +
                              std::to_string(kPackMaxBytes)};
  const std::size_t before = out.size();
  Status status = Unpacker(pack, out).run();
  while (!status.ok() && out.size() > before) out.pop_back();
  return status;
}

}  // namespace rhizome
