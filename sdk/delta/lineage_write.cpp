// The seed lineage's forms, written straight from the flat view. The reader is lineage_read.cpp;
// called by exports, any thread.
#include <set>

#include "lineage_format.hpp"
#include "rhizome/delta/json.hpp"
#include "rhizome/delta/lineage.hpp"
#include "rhizome/json_number.hpp"

namespace rhizome {

namespace {

// One pointer in the lineage's terms.
struct Named {
  ByteView role, context;  // context empty: a primitive
  PointerView pointer;
};

class LineageWriter {
 public:
  LineageWriter(DeltaView delta, std::string& out) : delta_(delta), out_(out) {}

  Status write(LineageForm form, ByteView host) {
    RZ_TRY(collect());
    if (pointers_.empty()) return refuse(0, "nothing but what the import added");
    out_ += "{\"id\":";
    append_json_string(id_.data() != nullptr ? id_ : ByteView(own_id_ = to_hex(delta_.id())), out_);
    out_ += ",\"host\":";
    append_json_string(host_.data() != nullptr ? host_ : host, out_);
    out_ += ",\"creator\":";
    append_json_string(delta_.author(), out_);
    out_ += ",\"timeCreated\":";
    append_json_number(
        has_time_ ? created_ : std::nearbyint(delta_.timestamp() * lineage::kMicrosecondsEach),
        out_);
    out_ += ",\"pointers\":";
    RZ_TRY(form == LineageForm::kV1 ? first_form() : second_form());
    out_.push_back('}');
    return {};
  }

 private:
  static Status refuse(std::size_t index, const std::string& why) {
    return {Code::kUnsupported, "pointers[" + std::to_string(index) + "]: " + why};
  }

  // Takes what an import added back out and looks at the rest.
  Status collect() {
    for (std::size_t i = 0; i < delta_.size(); ++i) {
      const PointerView p = delta_[i];
      if (p.kind() == RZ_TARGET_STRING && p.role() == kLineageIdRole && id_.data() == nullptr) {
        id_ = p.target();
      } else if (p.kind() == RZ_TARGET_STRING && p.role() == kLineageHostRole &&
                 host_.data() == nullptr) {
        host_ = p.target();
      } else if (p.kind() == RZ_TARGET_NUMBER && p.role() == kLineageTimeRole && !has_time_) {
        created_ = p.number();
        has_time_ = true;
      } else {
        RZ_TRY(name(i, p));
      }
    }
    return std::isfinite(delta_.timestamp() * lineage::kMicrosecondsEach)
               ? Status()
               : Status(Code::kUnsupported, "timestamp: too large for microseconds");
  }

  Status name(std::size_t index, PointerView p) {
    if (p.role().substr(0, lineage::kReserved.size()) == lineage::kReserved)
      return refuse(index, "a role that begins with rhizome.lineage. is kept for imports");
    switch (p.kind()) {
      case RZ_TARGET_BYTES:
        return refuse(index, "bytes; the lineage has strings, numbers, booleans and references");
      case RZ_TARGET_DELTA:
        if (p.role() != lineage::kOurNegation || !p.context().empty() ||
            !DeltaId::from_hex(p.target()))
          return refuse(index, "a reference to a delta; the lineage has negations only");
        pointers_.push_back({lineage::kNegation, lineage::kNegatedBy, p});
        return {};
      case RZ_TARGET_ENTITY:
        if (p.context().empty())
          return refuse(index, "an entity without context, which would come back as a string");
        if (lineage::is_negation(p.role(), p.target(), p.context()))
          return refuse(index, "an entity that would come back as a negation");
        pointers_.push_back({p.role(), p.context(), p});
        return {};
      default:
        pointers_.push_back({p.role(), {}, p});
        return {};
    }
  }

  Status first_form() {
    char separator = '[';
    for (const Named& named : pointers_) {
      out_.push_back(separator);
      separator = ',';
      out_ += "{\"localContext\":";
      append_json_string(named.role, out_);
      out_ += ",\"target\":";
      if (named.context.empty()) {
        target_to_json(named.pointer, out_);
      } else {
        append_json_string(named.pointer.target(), out_);
        out_ += ",\"targetContext\":";
        append_json_string(named.context, out_);
      }
      out_.push_back('}');
    }
    out_.push_back(']');
    return {};
  }

  // References of one role that stand together share its key.
  Status second_form() {
    std::set<ByteView> roles;
    for (std::size_t i = 0; i < pointers_.size();) {
      const ByteView role = pointers_[i].role;
      if (!roles.insert(role).second)
        return refuse(
            i, "the role '" + std::string(role) + "' a second time, which V2 cannot say; V1 can");
      out_.push_back(i == 0 ? '{' : ',');
      append_json_string(role, out_);
      out_.push_back(':');
      if (pointers_[i].context.empty()) {
        target_to_json(pointers_[i++].pointer, out_);
        continue;
      }
      std::set<ByteView> entities;
      char separator = '{';
      for (; i < pointers_.size() && pointers_[i].role == role && !pointers_[i].context.empty();
           ++i) {
        const ByteView entity = pointers_[i].pointer.target();
        if (!entities.insert(entity).second)
          return refuse(i, "the entity twice in one role, which V2 cannot say; V1 can");
        out_.push_back(separator);
        separator = ',';
        append_json_string(entity, out_);
        out_.push_back(':');
        append_json_string(pointers_[i].context, out_);
      }
      out_.push_back('}');
    }
    out_.push_back('}');
    return {};
  }

  const DeltaView delta_;
  std::string& out_;
  std::vector<Named> pointers_;
  std::string own_id_;
  ByteView id_, host_;
  double created_ = 0;
  bool has_time_ = false;
};

}  // namespace

Status delta_to_lineage(DeltaView delta, LineageForm form, ByteView host, std::string& out) {
  const std::size_t before = out.size();
  Status status = LineageWriter(delta, out).write(form, host);
  if (!status.ok()) out.resize(before);
  return status;
}

}  // namespace rhizome
