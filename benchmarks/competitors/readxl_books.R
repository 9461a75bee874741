# A round from its workbooks to the measure mart in R, with readxl and data.table.
# Run: Rscript readxl_books.R raw seeds questions.csv out.csv report.csv round ...
# Writes the seconds on the clock that each round took.
suppressMessages({library(data.table); library(readxl)})
setDTthreads(0)
files <- commandArgs(trailingOnly = TRUE)
raw <- files[1]
text <- function(name) fread(file.path(files[2], name), colClasses = "character")
grain <- c("round", "level", "unit_id", "questionnaire_id", "measure_id", "gender")
known <- c("round", "association_id", "questionnaire_id", "insats_kod", "kon")

sheets_of <- function(path, layouts, columns) {
  told <- as.data.table(read_excel(path, "Läs mig", col_names = FALSE, .name_repair = "minimal"))
  setnames(told, c("key", "value"))
  value <- function(name) told[key == name]$value
  there <- excel_sheets(path)
  rows <- lapply(which(layouts$layout_id == value("Layout") & layouts$sheet_name %in% there), function(i) {
    sheet <- layouts[i]
    rows <- as.data.table(read_excel(path, sheet$sheet_name, skip = as.integer(sheet$header_row) - 1,
                                     col_types = "text"))[-1]
    of_sheet <- columns[layout_id == sheet$layout_id & questionnaire_id == sheet$questionnaire_id]
    setnames(rows, of_sheet$column_name, of_sheet$field)
    rows[, c("lopnr", "svarsdatum", "kommentar") := NULL]
    rows[, `:=`(round = value("Mätomgång"), association_id = value("Förbund"),
                questionnaire_id = sheet$questionnaire_id)][]
  })
  rbindlist(rows, fill = TRUE)
}

mart <- function(folder) {
  layouts <- text("layouts.csv"); columns <- text("layout_columns.csv")
  questions <- fread(files[3])
  wide <- rbindlist(lapply(list.files(folder, "[.]xlsx$", full.names = TRUE), sheets_of, layouts, columns),
                    fill = TRUE)
  long <- melt(wide[, respondent := .I], id.vars = c(known, "respondent"), variable.name = "question_id",
               variable.factor = FALSE, na.rm = TRUE)
  long <- long[questions, on = "question_id", nomatch = NULL]
  scales <- text("scales.csv")[, code := as.integer(code)]
  written <- rbind(scales[, .(scale_id, code, value = as.character(code))],
                   scales[, .(scale_id, code, value = label_sv)],
                   scales[, .(scale_id, code, value = paste(code, label_sv))])
  long <- long[written, on = .(scale_id, value), nomatch = NULL]
  genders <- text("spellings.csv")[field == "kon"]
  long[, kon := genders$value[match(kon, genders$spelling)]]
  long[long, base_code := i.code, on = .(respondent, base_question_id = question_id)]
  register <- fread(file.path(raw, "register/associations.csv"), colClasses = "character")
  long[register, county_code := i.county_code, on = "association_id"]
  counts <- long[code <= n_codes & (is.na(base_positive) | (!is.na(base_code) & base_code >= base_positive)),
                 .(n = .N, n_positive = sum(code >= positive_min_code)),
                 by = c(known, "county_code", "measure_id")]
  units <- list(nation = quote("0000"), county = quote(paste0("00", county_code)),
                association = quote(association_id),
                activity = quote(fifelse(is.na(insats_kod), NA_character_, paste0(association_id, "/", insats_kod))))
  by_level <- rbindlist(lapply(names(units), function(level)
    copy(counts)[, `:=`(level = level, unit_id = eval(units[[level]]))]))[!is.na(unit_id)]
  of_gender <- by_level[kon %in% c("K", "M")]
  both <- rbind(copy(by_level)[, gender := "T"], of_gender[, gender := kon])
  both[, .(n = sum(n), n_positive = sum(n_positive)), by = grain]
}

walls <- c(); marts <- list()
for (folder in file.path(raw, files[-(1:5)])) {
  walls <- c(walls, system.time(made <- mart(folder))[["elapsed"]])
  marts <- c(marts, list(made))
}
fwrite(rbindlist(marts), files[4], quote = TRUE)
fwrite(data.table(wall = walls), files[5])
