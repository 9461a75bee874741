# The measure mart in R's data.table. Run: Rscript data_table_mart.R answers.csv questions.csv out.csv report.csv
# Told apart in the report: reading the file with fread, and computing the mart from what was read.
suppressMessages(library(data.table))
setDTthreads(0)
files <- commandArgs(trailingOnly = TRUE)
text <- c("county_code", "insats_kod", "langd", "kon")
facts <- c("round", "association_id", text, "questionnaire_id", "measure_id")
grain <- c("round", "level", "unit_id", "questionnaire_id", "measure_id", "gender")
z2 <- 1.959964^2

mart <- function(answers, questions) {
  answers[questions, on = "question_id",
          `:=`(measure_id = i.measure_id, n_codes = i.n_codes, positive_min_code = i.positive_min_code,
               base_positive = i.base_positive)]
  counts <- answers[code <= n_codes & (is.na(base_positive) | base_code >= base_positive),
                    .(n = .N, n_positive = sum(code >= positive_min_code)), by = facts]
  units <- list(nation = quote("0000"),
                county = quote(paste0("00", county_code)),
                association = quote(association_id),
                activity = quote(fifelse(insats_kod == "", "", paste0(association_id, "/", insats_kod))),
                activity_group = quote(langd))
  by_level <- rbindlist(lapply(names(units), function(level)
    copy(counts)[, `:=`(level = level, unit_id = eval(units[[level]]))]))
  by_level <- by_level[unit_id != ""]
  of_gender <- by_level[kon %in% c("K", "M")]
  both <- rbind(copy(by_level)[, gender := "T"], of_gender[, gender := kon])
  figures <- both[, .(n = sum(n), n_positive = sum(n_positive)), by = grain]
  figures[, share := 100 * n_positive / n]
  figures[, half := sqrt(z2) * sqrt(n_positive * (n - n_positive) / n + z2 / 4)]
  figures[, `:=`(ci_low = pmax(0, 100 * (n_positive + z2 / 2 - half) / (n + z2)),
                 ci_high = pmin(100, 100 * (n_positive + z2 / 2 + half) / (n + z2)), half = NULL)][]
}

started <- proc.time()
answers <- fread(files[1], colClasses = list(character = text), na.strings = NULL)
read <- proc.time()
figures <- mart(answers, fread(files[2]))
done <- proc.time()
fwrite(figures, files[3], quote = TRUE)
cost <- function(from, to) list(wall = (to - from)[["elapsed"]], cpu = sum((to - from)[1:2]))
fwrite(rbindlist(list(cost(started, done), cost(read, done))), files[4])
