"""Readings to MQTT brokers, in several dialects at once."""

from nes2mqtt.mqtt.config import MqttConfig
from nes2mqtt.mqtt.output import MqttOutput, Timing

__all__ = ["MqttConfig", "MqttOutput", "Timing"]
