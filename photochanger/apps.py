from django.apps import AppConfig


class PhotoChangerConfig(AppConfig):
    name = "photochanger"
    verbose_name = "PhotoChanger"

    def ready(self) -> None:
        from photochanger import checks, login  # noqa: F401  registers them
