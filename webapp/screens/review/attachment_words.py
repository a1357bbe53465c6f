"""The words of attachments in the case pane; see `words`."""

from __future__ import annotations

from django.utils.translation import gettext as _


def attachments() -> dict[str, str]:
    return {
        "attachment_count": _("{n} attachments"),
        "attachment_count_one": _("1 attachment"),
        "attachment_image": _("Image"),
        "attachment_lab_table": _("Lab table"),
        "attachment_vitals": _("Vital signs"),
        "column_name": _("Measured"),
        "column_value": _("Value"),
        "column_reference": _("Reference"),
        "column_course": _("Course"),
        "mark_low": _("low"),
        "mark_high": _("high"),
        "mark_abnormal": _("abnormal"),
        "open_picture": _("Open the image"),
        "no_pictures": _("This item has no image."),
        "picture_place": _("{n} of {of}"),
        "picture_absent": _("The image can't be loaded now. Check the connection, then open the item again."),
        "do_pictures": _("Open the item's image"),
    }
