"""The messages of event files, for protobuf alone: TensorBoard need not be installed.

Names, numbers and types of the fields are those of TensorBoard's public
tensorboard/compat/proto/{event,summary,histogram,tensor,tensor_shape,types}.proto.  Enumerations
are int32, which is the same on the wire; fields that no log needs are left out, and protobuf
passes over them.  The messages live in a descriptor pool of their own: in the common one they
would clash with those of tensorboard or TensorFlow in the same process.
"""

from typing import Any

from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
)
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message_factory import GetMessageClass

__all__ = ["DT_DOUBLE", "DT_FLOAT", "DT_HALF", "NUMPY_TYPES", "START", "Event", "TensorProto"]

PACKAGE = "epochord.tensorboard"

# By message: name, number and type of each field, and the union that it belongs to, if any.
FIELDS: dict[str, list[tuple[str, ...]]] = {
    "Event": [
        ("wall_time", "1", "double"),
        ("step", "2", "int64"),
        ("file_version", "3", "string", "what"),
        ("graph_def", "4", "bytes", "what"),
        ("summary", "5", "Summary", "what"),
        ("log_message", "6", "LogMessage", "what"),
        ("session_log", "7", "SessionLog", "what"),
        ("tagged_run_metadata", "8", "TaggedRunMetadata", "what"),
        ("meta_graph_def", "9", "bytes", "what"),
    ],
    "LogMessage": [("level", "1", "int32"), ("message", "2", "string")],
    "SessionLog": [
        ("status", "1", "int32"),
        ("checkpoint_path", "2", "string"),
        ("msg", "3", "string"),
    ],
    "TaggedRunMetadata": [("tag", "1", "string"), ("run_metadata", "2", "bytes")],
    "Summary": [("value", "1", "repeated Value")],
    "Value": [
        ("tag", "1", "string"),
        ("simple_value", "2", "float", "value"),
        ("obsolete_old_style_histogram", "3", "bytes", "value"),
        ("image", "4", "Image", "value"),
        ("histo", "5", "HistogramProto", "value"),
        ("audio", "6", "Audio", "value"),
        ("node_name", "7", "string"),
        ("tensor", "8", "TensorProto", "value"),
        ("metadata", "9", "SummaryMetadata"),
    ],
    "SummaryMetadata": [
        ("plugin_data", "1", "PluginData"),
        ("display_name", "2", "string"),
        ("summary_description", "3", "string"),
    ],
    "PluginData": [("plugin_name", "1", "string"), ("content", "2", "bytes")],
    "Image": [
        ("height", "1", "int32"),
        ("width", "2", "int32"),
        ("colorspace", "3", "int32"),
        ("encoded_image_string", "4", "bytes"),
    ],
    "HistogramProto": [
        ("min", "1", "double"),
        ("max", "2", "double"),
        ("num", "3", "double"),
        ("sum", "4", "double"),
        ("sum_squares", "5", "double"),
        ("bucket_limit", "6", "repeated double"),
        ("bucket", "7", "repeated double"),
    ],
    "Audio": [
        ("sample_rate", "1", "float"),
        ("num_channels", "2", "int64"),
        ("length_frames", "3", "int64"),
        ("encoded_audio_string", "4", "bytes"),
        ("content_type", "5", "string"),
    ],
    "TensorProto": [
        ("dtype", "1", "int32"),
        ("tensor_shape", "2", "TensorShapeProto"),
        ("version_number", "3", "int32"),
        ("tensor_content", "4", "bytes"),
        ("float_val", "5", "repeated float"),
        ("double_val", "6", "repeated double"),
        ("int_val", "7", "repeated int32"),
        ("string_val", "8", "repeated bytes"),
        ("int64_val", "10", "repeated int64"),
        ("bool_val", "11", "repeated bool"),
        ("half_val", "13", "repeated int32"),
        ("uint32_val", "16", "repeated uint32"),
        ("uint64_val", "17", "repeated uint64"),
    ],
    "TensorShapeProto": [("dim", "2", "repeated Dim"), ("unknown_rank", "3", "bool")],
    "Dim": [("size", "1", "int64"), ("name", "2", "string")],
}

START = 1  # SessionLog.SessionStatus: the training began, or began again

# types.proto, those that are numbers
DT_FLOAT, DT_DOUBLE, DT_HALF = 1, 2, 19
NUMPY_TYPES = {
    DT_FLOAT: "<f4",
    DT_DOUBLE: "<f8",
    3: "<i4",
    4: "<u1",
    5: "<i2",
    6: "<i1",
    9: "<i8",
    17: "<u2",
    DT_HALF: "<f2",
    22: "<u4",
    23: "<u8",
}


def _message(name: str) -> DescriptorProto:
    message = DescriptorProto(name=name)
    unions: list[str] = []
    for field, number, kind, *union in FIELDS[name]:
        repeated, _, kind = kind.rpartition(" ")
        label = "LABEL_REPEATED" if repeated else "LABEL_OPTIONAL"
        added = message.field.add(
            name=field, number=int(number), label=FieldDescriptorProto.Label.Value(label)
        )
        if kind in FIELDS:
            added.type = FieldDescriptorProto.TYPE_MESSAGE
            added.type_name = f".{PACKAGE}.{kind}"
        else:
            added.type = FieldDescriptorProto.Type.Value(f"TYPE_{kind.upper()}")
        if union:
            if union[0] not in unions:
                unions.append(union[0])
                message.oneof_decl.add(name=union[0])
            added.oneof_index = unions.index(union[0])
    return message


def _pool() -> DescriptorPool:
    file = FileDescriptorProto(name="epochord/tensorboard.proto", package=PACKAGE, syntax="proto3")
    file.message_type.extend(_message(name) for name in FIELDS)
    pool = DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool


_POOL = _pool()


def _class(name: str) -> Any:
    return GetMessageClass(_POOL.FindMessageTypeByName(f"{PACKAGE}.{name}"))


Event = _class("Event")
TensorProto = _class("TensorProto")
