from django.apps import AppConfig


class SecondFactorConfig(AppConfig):
    name = "photochanger.second_factor"
    label = "second_factor"
