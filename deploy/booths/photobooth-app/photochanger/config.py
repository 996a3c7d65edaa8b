"""Settings of the plugin, as photobooth-app shows them in its admin centre."""

from photobooth import CONFIG_PATH
from photobooth.services.config.baseconfig import BaseConfig
from photobooth.services.config.serializer import contextual_serializer_password
from pydantic import Field, SecretStr, SerializationInfo, field_serializer
from pydantic_settings import SettingsConfigDict


class PhotochangerConfig(BaseConfig):
    model_config = SettingsConfigDict(
        title="PhotoChanger",
        json_file=f"{CONFIG_PATH}plugin_photochanger.json",
        env_prefix="photochanger-",
    )

    server: str = Field(
        default="http://127.0.0.1:8000",
        description="Address of the PhotoChanger server, without a path.",
    )
    password: SecretStr = Field(
        default=SecretStr(""),
        description="The booth password of that server.",
    )
    wait_s: int = Field(
        default=58,
        ge=10,
        le=70,
        description="Seconds to wait for a picture: the slot's waiting time and 10 more.",
    )

    @field_serializer("password")
    def keep_password_off_pages(self, value: SecretStr, info: SerializationInfo) -> str:
        return contextual_serializer_password(value, info)
