// The seed lineage's deltas, read. The writer is lineage_write.cpp; called by imports, any thread.
#include "json_reader.hpp"
#include "lineage_format.hpp"
#include "rhizome/delta/id.hpp"
#include "rhizome/delta/lineage.hpp"

namespace rhizome {

namespace {

using namespace json_text;  // NOLINT(google-build-using-namespace)

class LineageReader : public Reader {
 public:
  using Reader::Reader;

  Status read(std::string& out) {
    RZ_TRY(document([&](ByteView key, od::value& value, const std::string& at) -> Status {
      if (key == "id") return text(value, at, id_);
      if (key == "host") return text(value, at, host_);
      if (key == "creator") return text(value, at, creator_);
      if (key == "timeCreated") return number(value, at, created_);
      if (key == "pointers") return pointers(value, at);
      return bad(at, "unknown key; a lineage delta has id, host, creator, timeCreated, pointers");
    }));
    if (!id_) return bad("id", "missing");
    if (!host_) return bad("host", "missing");
    if (!creator_) return bad("creator", "missing");
    if (!created_) return bad("timeCreated", "missing");
    if (pointers_.empty()) return bad("pointers", "none; expected at least one");
    pointers_.push_back({kLineageIdRole, *id_});
    pointers_.push_back({kLineageHostRole, *host_});
    pointers_.push_back({kLineageTimeRole, *created_});
    return encode_claims(*creator_, *created_ / lineage::kMicrosecondsEach, pointers_, out);
  }

 private:
  Status pointers(od::value& value, const std::string& at) {
    od::json_type type{};
    if (const auto error = value.type().get(type)) return bad_json(at, error);
    if (type == od::json_type::array) return first_form(value, at);
    if (type == od::json_type::object) return second_form(value, at);
    return bad(at,
               std::string("expected an array (V1) or an object (V2), found ") + type_name(type));
  }

  Status first_form(od::value& value, const std::string& at) {
    od::array array;
    if (const auto error = value.get_array().get(array)) return bad_json(at, error);
    std::size_t index = 0;
    for (auto element : array) {
      const std::string here = at + "[" + std::to_string(index++) + "]";
      od::value pointer;
      if (const auto error = element.get(pointer)) return bad_json(here, error);
      od::object object;
      if (const auto error = pointer.get_object().get(object))
        return wrong_type(pointer, here, "an object", error);
      std::optional<ByteView> role, context;
      std::optional<Target> target;
      RZ_TRY(fields(
          object, here, [&](ByteView key, od::value& field, const std::string& where) -> Status {
            if (key == "localContext") return text(field, where, role);
            if (key == "targetContext") return text(field, where, context);
            if (key == "target") return scalar(field, where, target);
            return bad(where, "unknown key; a pointer has localContext, target, targetContext");
          }));
      if (!role) return bad(here + ".localContext", "missing");
      if (!target) return bad(here + ".target", "missing");
      if (!context) {
        RZ_TRY(add(here, *role, *target));
        continue;
      }
      const auto* entity = std::get_if<ByteView>(&*target);
      if (entity == nullptr)
        return bad(here + ".target", "expected a string, an entity's id, beside a targetContext");
      RZ_TRY(add_reference(here, *role, *entity, *context));
    }
    return {};
  }

  Status second_form(od::value& value, const std::string& at) {
    od::object object;
    if (const auto error = value.get_object().get(object)) return bad_json(at, error);
    return fields(
        object, at,
        [&](ByteView role, od::value& field, const std::string& where) -> Status {
          od::json_type type{};
          if (const auto error = field.type().get(type)) return bad_json(where, error);
          if (type == od::json_type::object) return references(field, role, where);
          std::optional<Target> target;
          RZ_TRY(scalar(field, where, target));
          return add(where, role, *target);
        },
        RZ_DELTA_MAX_POINTERS);
  }

  // {entity id: context}; several of them are several pointers of one role.
  Status references(od::value& value, ByteView role, const std::string& at) {
    od::object object;
    if (const auto error = value.get_object().get(object)) return bad_json(at, error);
    const std::size_t before = pointers_.size();
    const auto each = [&](ByteView entity, od::value& field, const std::string& where) -> Status {
      std::optional<ByteView> context;
      if (Status status = text(field, where, context); !status.ok()) return status;
      return add_reference(where, role, entity, *context);
    };
    RZ_TRY(fields(object, at, each, RZ_DELTA_MAX_POINTERS));
    return pointers_.size() == before ? bad(at, "no entity; expected {entity id: context}")
                                      : Status();
  }

  Status scalar(od::value& value, const std::string& at, std::optional<Target>& out) {
    od::json_type type{};
    if (const auto error = value.type().get(type)) return bad_json(at, error);
    if (type == od::json_type::string) {
      std::optional<ByteView> found;
      RZ_TRY(text(value, at, found));
      out = *found;
      return {};
    }
    if (type == od::json_type::number) {
      std::optional<double> found;
      RZ_TRY(number(value, at, found));
      out = *found;
      return {};
    }
    if (type == od::json_type::boolean) {
      bool found = false;
      if (const auto error = value.get_bool().get(found)) return bad_json(at, error);
      out = found;
      return {};
    }
    if (type == od::json_type::null)
      return bad(at, "null has no place in a delta; leave the pointer out");
    return bad(at,
               std::string("expected a string, a number, true or false, found ") + type_name(type));
  }

  Status add_reference(const std::string& at, ByteView role, ByteView entity, ByteView context) {
    if (context.empty()) return bad(at, "an empty context; expected a name or none");
    if (lineage::is_negation(role, entity, context))
      return add(at, lineage::kOurNegation, DeltaRef{entity});
    return add(at, role, EntityRef{entity, context});
  }

  Status add(const std::string& at, ByteView role, const Target& target) {
    if (role.substr(0, lineage::kReserved.size()) == lineage::kReserved)
      return bad(at, "a role that begins with rhizome.lineage. is kept for imports");
    if (pointers_.size() == RZ_DELTA_MAX_POINTERS) return bad(at, "over 4096 pointers");
    pointers_.push_back({role, target});
    return {};
  }

  std::optional<ByteView> id_, host_, creator_;
  std::optional<double> created_;
  std::vector<Pointer> pointers_;
};

}  // namespace

Status claims_from_lineage(ByteView json, std::string& out) {
  return LineageReader(json).read(out);
}

}  // namespace rhizome
